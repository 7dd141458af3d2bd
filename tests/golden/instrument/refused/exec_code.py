import sys

with open(sys.argv[1]) as f:
    code = f.read()
exec(compile(code, sys.argv[1], "exec"))
