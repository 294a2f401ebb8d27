"""Go's text/template as Docker's ``--format`` uses it: lexer, parser, evaluator, functions.

Left out, since no output format needs them: ``define``, ``template``, ``block``, ``break``,
``continue``, complex numbers and the functions ``call``, ``html``, ``js`` and ``urlquery``.
"""
