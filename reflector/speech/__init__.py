"""Speech engines: who said what when, on the device that is there."""

import os

# Threads that spin while they wait slow everything else on a busy machine, themselves included.
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Cards by the same numbers as NVML's and nvidia-smi's.
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
# pyannote.audio reports its use to a server of its makers unless told not to.
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
