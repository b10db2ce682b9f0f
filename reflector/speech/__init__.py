"""Run speech engines on the available device: transcription and diarization."""

import os

# Threads that spin while they wait slow everything else on a busy machine, including themselves
os.environ.setdefault("KMP_BLOCKTIME", "0")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Number cards as NVML and nvidia-smi do
os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
# pyannote.audio sends usage data to its makers unless told not to
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
