"""Recipes: whole programs to copy, each a page of the manual. All of them run in the tests."""
