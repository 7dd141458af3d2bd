"""What `init` puts into a project: planned first, then written, and never over anything that is there.

    plan.py      the folder of the experiments, its git files, an example; and the plan as a whole
    hints.py     what SpecWeave and agents are told, in regions of files that are theirs
    scripts.py   training scripts that could be instrumented next

Of SpecWeave's own files only those in hints.py are written, and only by `init`.
"""

from specweave_ml.scaffold.plan import EXAMPLE, FIRST_INCREMENT, Scaffold, Step, apply_scaffold, plan_scaffold

__all__ = ["EXAMPLE", "FIRST_INCREMENT", "Scaffold", "Step", "apply_scaffold", "plan_scaffold"]
