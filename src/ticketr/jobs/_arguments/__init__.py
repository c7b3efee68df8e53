"""What users pass in: the functions of jobs, the options of a submit, and retry rules."""
