"""Movement, order and checks around the dbt project: from a cloud bill to what each customer costs."""
