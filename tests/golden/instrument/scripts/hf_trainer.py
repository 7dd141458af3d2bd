import numpy as np
import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed


class Toy(Dataset):
    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.ids = rng.integers(5, 50, size=(n, 8))
        self.labels = (self.ids[:, 0] > 25).astype(int)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"input_ids": torch.tensor(self.ids[i]), "labels": int(self.labels[i])}


def compute_metrics(eval_pred):
    logits, labels = eval_pred
    accuracy = (logits.argmax(-1) == labels).mean()
    return {"accuracy": accuracy}


set_seed(0)
config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
model = BertForSequenceClassification(config)

training_args = TrainingArguments(
    output_dir="out",
    num_train_epochs=2,
    learning_rate=1e-3,
    per_device_train_batch_size=8,
    logging_steps=2,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
    use_cpu=True,
)

trainer = Trainer(
    model=model,
    args=training_args,
    train_dataset=Toy(32, 0),
    eval_dataset=Toy(16, 1),
    compute_metrics=compute_metrics,
)
trainer.train()
metrics = trainer.evaluate()
print(metrics["eval_accuracy"])
trainer.save_model("final")
