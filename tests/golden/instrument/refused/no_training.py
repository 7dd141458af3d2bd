"""Download the data and clean it."""
import pandas as pd
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("data.csv").dropna()
scaler = StandardScaler()
df[["age", "income"]] = scaler.fit_transform(df[["age", "income"]])
df.to_csv("clean.csv", index=False)
print("rows:", len(df))
