"""What the hot paths cost: CPU per request of the server's process tree, measured from outside over loopback.

`make bench` starts the real server (`idp serve`) on a folder of its own and prints a table; `bench/results/` keeps the
same as JSON with versions. Requests per second are told, CPU is what counts: this kind of machine is noisy.
"""
