import asyncio
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB

async def fetch():
    await asyncio.sleep(0)
    return load_iris(return_X_y=True)

async def main():
    X, y = await fetch()
    model = GaussianNB()
    model.fit(X, y)
    acc = model.score(X, y)
    print(f"acc={acc:.2f}")

asyncio.run(main())
