"""Object → file by the suffix of its name, and back.

    figure (Matplotlib, plotly)     .png .svg .pdf .jpg .webp · .html .json
    DataFrame, Series               .csv .tsv .parquet .json .html
    array                           .npy .npz .csv .txt
    text, bytes, list of lines      any text suffix · any suffix · any text suffix
    dict, list, number              .json .yaml
    scikit-learn model              .pkl .joblib .skops .onnx
    XGBoost · LightGBM · Keras      .json .ubj · .txt · .keras
    torch module or state dict      .safetensors .pt
    anything                        .pkl .joblib

No library is imported to find out what an object is: if the object exists, its library is there already.
Writing a pickle is allowed; reading one runs code, so that needs `trusted=True`.
"""

from specweave_ml.artifacts.models import model_suffix
from specweave_ml.artifacts.read import read_object
from specweave_ml.artifacts.write import write_object

__all__ = ["model_suffix", "read_object", "write_object"]
