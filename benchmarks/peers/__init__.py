"""One short script a tracker, doing what `benchmarks.work` describes with the tracker's own documented calls."""
