# gradient descent without any library
import random
random.seed(1)
data = [(x, 3 * x + 1 + random.gauss(0, .1)) for x in [i / 10 for i in range(30)]]
w, b = 0.0, 0.0
lr = 0.05
n_epochs = 40
for epoch in range(n_epochs):
    total_loss = 0
    for x, y in data:
        err = w * x + b - y
        w -= lr * err * x
        b -= lr * err
        total_loss += err ** 2
    if epoch % 10 == 0:
        print("epoch %d loss %.5f" % (epoch, total_loss / len(data)))
print("w=%.3f b=%.3f" % (w, b))
