"""`alliance`: the command line of operators, secretariats and members. Speaks gRPC only."""
