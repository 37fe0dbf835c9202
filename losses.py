def mse(a, b):
    ### BEGIN SOLUTION
    return sum(x - y for x, y in zip(a, b)) / len(a)
    ### END SOLUTION
