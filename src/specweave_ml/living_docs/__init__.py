"""Generated regions inside Markdown that people own.

    plan_sync       decides, document by document, and writes nothing
    apply_sync      carries a plan out, where the documents are still the ones that were read
    sync_documents  both

A second sync changes no byte; not one byte outside the regions ever changes; an edit that a person made inside one is
merged with new data or left as it is, with a conflict, and never lost.
"""

from specweave_ml.living_docs.apply import apply_sync, sync_documents
from specweave_ml.living_docs.plan import Change, SyncPlan, plan_sync
from specweave_ml.living_docs.renewal import RegionChange
from specweave_ml.living_docs.wanted import Document, Region

__all__ = [
    "Change",
    "Document",
    "Region",
    "RegionChange",
    "SyncPlan",
    "apply_sync",
    "plan_sync",
    "sync_documents",
]
