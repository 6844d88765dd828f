"""A machine with a camera driver: QEMU with the kernel that ``guest/build`` makes, on this machine's own files.

Inside, every path of this machine is there: the Python that runs the tests, the repository, the tools. What the guest writes
stays in its memory, except in ``/share``, which is `Guest.share` here. `Guest.HOST` is this machine, seen from inside. Without
KVM the processor is emulated, about ten times slower, so nothing here says how fast a camera is, only that it is right.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
CAMERA = "/dev/video0"
PATIENCE_S = 240.0
"""An emulated processor, on a machine that may be busy."""
BOOT_S, BOOTS = 90.0, 3
"""A boot takes 7 s on an idle machine. Now and then an emulated one hangs with both processors busy; the next does not."""
QEMU = """
    qemu-system-x86_64 -accel {accel} -machine q35 -cpu max -smp 2 -m {memory_mb} -nographic -vga none -no-reboot
    -kernel {build}/vmlinuz -initrd {build}/initrd -append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable"
    -fsdev local,id=root,path=/,security_model=none,readonly=on,multidevs=remap -device virtio-9p-pci,fsdev=root,mount_tag=root
    -fsdev local,id=share,path={share},security_model=none -device virtio-9p-pci,fsdev=share,mount_tag=share
    -netdev user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22 -device virtio-net-pci,netdev=net -device virtio-rng-pci
"""
SSH = """
    ssh -q -p {port} -i {folder}/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes
    -o ControlMaster=auto -o ControlPath={folder}/ssh -o ControlPersist=yes root@127.0.0.1
"""


class Guest:
    """Boots on entering, and is switched off on leaving. ``run`` and ``start`` take shell commands."""

    HOST = "10.0.2.2"

    def __init__(self, build: Path, folder: Path, memory_mb: int = 4096) -> None:
        """``build`` is the folder of ``guest/build``; ``folder`` an empty one for this boot, with a short path."""
        self.share = folder / "share"
        self._folder, self._build = folder, build
        self._port = free_port()
        self._ssh = shlex.split(SSH.format(port=self._port, folder=folder))
        self._machine = shlex.split(
            QEMU.format(accel=accelerator(), memory_mb=memory_mb, build=build, share=self.share, port=self._port)
        )
        self._qemu: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Guest:
        self.share.mkdir()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self._folder / "key"], check=True)
        (self._folder / "key.pub").rename(self.share / "key.pub")
        if not any(self._boots() for _ in range(BOOTS)):
            raise AssertionError(f"the guest did not boot in {BOOTS} tries of {BOOT_S:g} s:\n{self.console()[-2000:]}")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._switch_off()

    def start(self, command: str) -> subprocess.Popen[str]:
        """Begin a command; its output, errors included, is in ``stdout``."""
        environment = f"PATH={Path(sys.executable).parent}:$PATH PYTHONPATH={ROOT} VIVANT_CACHE_DIR=/run/cache"
        line = [*self._ssh, f"cd {ROOT} && export {environment} && {command}"]
        return subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def run(self, command: str, timeout_s: float = PATIENCE_S) -> str:
        """What a command says; it must succeed."""
        with self.start(command) as process:
            try:
                said, _ = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
                raise AssertionError(f"not done within {timeout_s:g} s: {command}\n{said}") from None
        assert process.returncode == 0, f"{command}\n{said}"
        return said

    @contextmanager
    def running(self, command: str) -> Iterator[subprocess.Popen[str]]:
        """A program that runs meanwhile, and is asked to end at the end."""
        with self.start(f"echo $$; exec {command}") as process:
            try:
                pid = next_line(process)
                yield process
            finally:
                self.run(f"kill {pid} || true")
                process.wait(PATIENCE_S)

    def lend(self, port: int) -> None:
        """A port of this machine's loopback becomes one of the guest's own."""
        subprocess.run([*self._ssh, "-O", "forward", "-R", f"{port}:127.0.0.1:{port}"], check=True, capture_output=True)

    def plug_in(self, label: str = "Vivant", max_openers: int = 10) -> None:
        """Load the camera's driver anew, as its users do; browsers want exclusive_caps."""
        options = f"video_nr=0 card_label={label} exclusive_caps=1 max_buffers=4 max_openers={max_openers}"
        self.run(f"rmmod v4l2loopback 2>&-; insmod {self._build}/v4l2loopback.ko {options}")

    def unplug(self) -> None:
        """The camera is gone; nobody may have it open."""
        self.run("rmmod v4l2loopback")

    def console(self) -> str:
        """What the machine said."""
        return (self._folder / "console").read_text(errors="replace")

    def _boots(self) -> bool:
        with (self._folder / "console").open("wb") as console:
            self._qemu = subprocess.Popen(self._machine, stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        try:
            if self._answers(self._qemu):
                return True
        except BaseException:
            self._switch_off()
            raise
        self._switch_off()
        return False

    def _answers(self, qemu: subprocess.Popen[bytes]) -> bool:
        give_up_s = time.monotonic() + BOOT_S
        while time.monotonic() < give_up_s and qemu.poll() is None:
            if subprocess.run([*self._ssh, "-o", "ConnectTimeout=20", "true"], capture_output=True).returncode == 0:
                return True
            time.sleep(0.5)
        return False

    def _switch_off(self) -> None:
        subprocess.run([*self._ssh, "-O", "exit"], capture_output=True)
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()


def next_line(process: subprocess.Popen[str]) -> str:
    """What a program says next; empty when it has ended, or was ended because it said nothing for too long."""
    assert process.stdout is not None
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        return process.stdout.readline().rstrip("\n")
    finally:
        watchdog.cancel()


def accelerator() -> str:
    """KVM where the processor has what it needs: /dev/kvm alone proves nothing."""
    flags = Path("/proc/cpuinfo").read_text().split()
    has_kvm = os.access("/dev/kvm", os.R_OK | os.W_OK) and ("vmx" in flags or "svm" in flags)
    return "kvm" if has_kvm else "tcg,thread=multi,tb-size=512"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
