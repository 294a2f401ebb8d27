"""Go's text/template as Docker's ``--format`` uses it: lexer, parser, evaluator, functions.

Left out, since nobody needs them in what is shown of an image: complex numbers.
"""
