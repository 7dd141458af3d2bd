from mylib import build_model, evaluate, load_data

train_set, test_set = load_data()
model = build_model()
model.fit(train_set)
accuracy = evaluate(model, test_set)
print("accuracy", accuracy)
