"""The whole house on one machine: embedded servers, services that are kept running, backup, and a doctor."""
