"""Cells that try what must fail, and say what worked. They run in the sandbox, and as controls in a bare process."""

from __future__ import annotations

TELL = "print('TOLD' + __import__('json').dumps(told), flush=True)"

REACH = """
import ctypes, errno, os, socket, sys
told = {}
def attempt(name, action):
    try: told[name] = action() is not False
    except OSError: told[name] = False
def connect(family, address):
    with socket.socket(family) as made:
        made.settimeout(1)
        made.connect(address)
def send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made: made.sendto(@NAME@.encode(), ('127.0.0.1', @UDP@))
attempt('tcp', lambda: connect(socket.AF_INET, ('127.0.0.1', @TCP@)))
attempt('abstract', lambda: connect(socket.AF_UNIX, @ABSTRACT@))
attempt('udp', send)
attempt('dns', lambda: socket.getaddrinfo('example.org', 80))
for name, family, kind in (('vsock', 40, 1), ('packet', 17, 3), ('alg', 38, 5)):
    attempt(name, lambda: socket.socket(family, kind).close())
libc = ctypes.CDLL(None, use_errno=True)
for name, number in (('io_uring', 425), ('unshare', {'x86_64': 272}.get(os.uname().machine, 97))):
    libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6)
    told[name] = ctypes.get_errno() != errno.EPERM
told['interfaces'] = [name for _, name in socket.if_nameindex()]
"""

WRITE = """
import os, sys
told = {'written': [], 'allowed': []}
system = ['/', '/etc', '/usr', '/usr/bin', '/dev', '/proc/sys/kernel', '/run', sys.prefix, sys.base_prefix]
told['allowed'] = [folder for folder in system if os.access(folder, os.W_OK)]
told['allowed'] += [path for path in ('/proc/sys/kernel/core_pattern', 'words.txt') if os.access(path, os.W_OK)]
for folder in [*(system if @INSIDE@ else ()), '/tmp', '.']:
    path = os.path.join(folder, 'written-%d' % os.getpid())
    try:
        open(path, 'w').close()
        os.unlink(path)
        told['written'].append(folder)
    except OSError: pass
"""

FIND = r"""
import os, re, sys
pattern, found = re.compile(b'can' + rb'ary-[a-z]+-[0-9a-f]{16}'), set()
def look(data): found.update(hit.decode() for hit in pattern.findall(data))
skipped = ('/usr', '/proc', '/sys', '/lib', '/lib64', '/bin', '/sbin', sys.prefix, sys.base_prefix)
for parent, folders, names in os.walk(os.path.abspath('../..')):
    folders[:] = [f for f in folders if not os.path.join(parent, f).startswith(skipped)]
    for name in names:
        path = os.path.join(parent, name)
        try: look(open(path, 'rb').read(4_000_000) if os.path.isfile(path) else b'')
        except OSError: pass
look(repr(dict(os.environ)).encode())
for fd in os.listdir('/proc/self/fd'):
    try: look(os.readlink('/proc/self/fd/' + fd).encode())
    except OSError: pass
told = sorted(found)
"""

NAMES = """
import getpass, os, socket, sys
names = [*os.environ, *os.environ.values(), os.getcwd(), *os.listdir('.'), *sys.argv, socket.gethostname(), getpass.getuser()]
for path in ('/proc/self/comm', '/proc/1/comm', '/proc/1/cmdline', '/proc/self/cgroup', '/etc/passwd', '/etc/hosts'):
    try: names.append(open(path).read())
    except OSError: pass
told = [name.replace(sys.prefix, '') for name in names]
"""
TELLING = r"(?i)grad|exam|otter|assess|score|submi|instructor|hidden|sandbox|NBGRADER"
"""Words that tell grading from practice."""

SHARE = """
import ctypes, os, socket
for place in ('/tmp', '/dev/shm'): open(f'{place}/@NAME@', 'w').close()
held = socket.socket(socket.AF_UNIX)
held.bind('\\0@NAME@')
held.listen()
libc = ctypes.CDLL(None)
libc.shmget(@KEY@, 4096, 0o1666)
libc.syscall({'x86_64': 248}.get(os.uname().machine, 217), b'user', b'@NAME@', b'x', 1, -4)
told = os.getpid()
"""
LOOK = """
import ctypes, os, socket
told = [place for place in ('/tmp', '/dev/shm') if os.path.exists(f'{place}/@NAME@')]
libc = ctypes.CDLL(None)
if libc.shmget(@KEY@, 4096, 0o666) >= 0: told.append('segment')
with socket.socket(socket.AF_UNIX) as made:
    try:
        made.connect('\\0@NAME@')
        told.append('socket')
    except OSError: pass
try:
    os.kill(@PID@, 0)
    told.append('signal')
except OSError: pass
if os.path.exists('/proc/@PID@'): told.append('process')
"""
