"""Classes that students write: an honest one, and one that equals everything."""

EQUAL = """
class Yes:
    def __eq__(self, other): return True
    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda self, other: True
    def __bool__(self): return True
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __len__(self): return 3
    def __iter__(self): return iter([self])
    def __array__(self, *a): return self
    def __abs__(self): return self
    def __sub__(self, other): return self
    __add__ = __radd__ = __rsub__ = __mul__ = __getitem__ = __sub__
    def __hash__(self): return 0
    def __float__(self): return 0.0
    def __index__(self): return 0
f = x = squares = Yes()
"""

VECTOR = """
class Vector:
    def __init__(self, x, y): self.x, self.y = x, y
    def __add__(self, o): return Vector(self.x + o.x, self.y + o.y)
    def __sub__(self, o): return Vector(self.x - o.x, self.y - o.y)
    def __mul__(self, k): return Vector(self.x * k, self.y * k)
    __rmul__ = __mul__
    def __eq__(self, o): return (self.x, self.y) == (o.x, o.y)
    def __hash__(self): return hash((self.x, self.y))
    def __lt__(self, o): return self.norm() < o.norm()
    def __len__(self): return 2
    def __bool__(self): return bool(self.x or self.y)
    def __contains__(self, v): return v in (self.x, self.y)
    def __repr__(self): return f'Vector({self.x}, {self.y})'
    def norm(self): return (self.x ** 2 + self.y ** 2) ** 0.5
    def double(self): return self * 2
    @classmethod
    def zero(cls): return cls(0, 0)
"""
