"""The stack of ``deploy/compose.yaml`` as plain processes on this computer, and what must work through it."""
