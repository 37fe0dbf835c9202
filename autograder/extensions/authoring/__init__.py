"""Start of a course: its folder, assignments from templates or solved notebooks, and checks while one writes."""
