"""Names that people import from here although they live elsewhere, and which call of ours is near.

Skills next to this one show `from specweave import …` in their pages too. Whoever follows them gets one line that
says where he stands instead of a bare "cannot import name".
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_OTHER_SKILLS = {
    "anomaly-detector": (
        "exp.log_metrics({...}) records what a detector reaches",
        """AnomalyDetector AnomalyEvaluator AutoencoderDetector FraudDetectionPipeline IntrusionDetectionPipeline
        IsolationForestDetector LOFDetector OneClassSVMDetector QualityControlPipeline SystemAnomalyPipeline""",
    ),
    "automl-optimizer": (
        "track_hyperparameters(...) records a search",
        "AutoMLPipeline AutoSklearnOptimizer H2OAutoMLOptimizer NeuralArchitectureSearch OptunaOptimizer",
    ),
    "cv-pipeline-builder": (
        "track_experiment(name) records the training of a vision model",
        "CVPipeline ImageAugmentation",
    ),
    "data-visualizer": (
        'exp.save_artifact("plot.png", figure) keeps a picture with its experiment',
        """ClassificationVisualizer DashboardCreator EDAVisualizer FeatureVisualizer InteractiveVisualizer
        ModelComparisonVisualizer RegressionVisualizer TimeSeriesVisualizer""",
    ),
    "feature-engineer": (
        "exp.log_dataset(name, data, version=...) records which features were used",
        "DataQualityReport FeatureCreator FeatureSelector FeatureStore FeatureTransformer FeatureValidator",
    ),
    "ml-deployment-helper": (
        'exp.save_model(model) and exp.add_tag("production") mark what is to be deployed',
        """ModelVersion containerize_model create_ab_test create_batch_predictor create_model_api
        create_streaming_predictor load_test_model setup_model_monitoring""",
    ),
    "model-evaluator": ("exp.log_metrics({...}) records an evaluation", "ModelEvaluator"),
    "model-explainer": (
        'exp.save_artifact("feature_importance.csv", table) keeps an explanation',
        "ModelExplainer explain_model",
    ),
    "model-registry": (
        "exp.register_model(model, name) keeps numbered versions of a model",
        "CustomRegistry MLflowRegistry ModelRegistry",
    ),
    "nlp-pipeline-builder": (
        "track_experiment(name) records the training of a language model",
        "NLPPipeline TextPreprocessor",
    ),
    "time-series-forecaster": (
        "exp.log_metric(name, value, step=...) records a forecast's error over time",
        """DemandForecastPipeline FinancialForecastPipeline LSTMForecaster ProphetForecaster SalesForecastPipeline
        SensorForecastPipeline TimeSeriesAnalyzer TimeSeriesEvaluator TimeSeriesForecaster VARForecaster""",
    ),
    "the reporting part of SpecWeave": (
        "compare_experiments(increment=...) writes the comparison of an increment",
        "MLReportGenerator",
    ),
}


def words(name: str) -> str:
    """One line: whose the name is, and which call of ours is near."""
    for skill, (near, names) in _OTHER_SKILLS.items():
        if name in names.split():
            return f"{name} belongs to {skill} and is not part of this skill, experiment tracking; {near}"
    return f"{name} is not part of this skill, experiment tracking; {_nearest(name)}"


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    from specweave_ml import __all__ as ours

    lowered = {own.lower(): own for own in ours}
    close = get_close_matches(name.lower(), lowered, n=1)
    return f"did you mean {lowered[close[0]]}?" if close else "its main call is track_experiment(name)"


def absent(name: str, asking: FrameType) -> AttributeError | ImportError:
    """The error for a name that is not here, for the frame that asked.

    `from specweave import X` replaces the words of an AttributeError by its own, so there an ImportError has to
    speak. Everywhere else `hasattr`, `pickle` and `inspect` count on an AttributeError.
    """
    from opcode import opmap

    if asking.f_code.co_code[asking.f_lasti] == opmap["IMPORT_FROM"]:
        return ImportError(words(name), name="specweave_ml")
    return AttributeError(words(name))
