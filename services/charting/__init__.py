"""Charts as pictures.

What draws them is a JavaScript engine: it takes a second to begin and a hundred megabytes to stay. So it lives in a
process of its own (`child`), which `drawing` starts when a chart is asked for and ends when none has been for a while.
"""
