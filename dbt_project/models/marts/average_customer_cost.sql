{{ average_cost(costs_of_customers()) }}
