"""Training: reads releases, trains classifiers, and reports which use of the data is best."""
