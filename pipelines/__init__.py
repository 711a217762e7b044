"""What runs nights: definitions, job, schedule, and the ``quorum`` command."""
