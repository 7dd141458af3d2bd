"""The names of `specweave_ml` under the name that training code imports: `from specweave import track_experiment`.

Nothing lives here. Other distributions install a module `specweave` as well; where one of them lies over this file,
`import specweave_ml` offers the same names and `specweave-ml doctor` says what happened.
"""

from specweave_ml import __all__ as __all__
from specweave_ml import __dir__ as __dir__
from specweave_ml import __getattr__ as __getattr__
from specweave_ml import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from specweave_ml import *  # noqa: F403 - the alias offers exactly what the package offers
