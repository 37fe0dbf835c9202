"""The program of an examiner. Run as a folder, so that a template can become it without another import."""

from autograder.examination.main import main

main()
