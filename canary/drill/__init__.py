"""The drill: a scenario's faults in a simulated fleet, the whole product in virtual time, and what came of it.

scenario -> truth               the file; what is wrong at any moment
golden                          what golden answers of a whole fleet teach, recorded side by side
clock, wire, stage              virtual time; the lab in place of the network; the product as it is
judge, rules                    what was expected of it; what common rules say of the same scores
"""
