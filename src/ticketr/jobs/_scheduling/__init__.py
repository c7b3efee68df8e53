"""What runs next: the order of pending jobs, their keys, rates and predecessors."""
