FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PARVIS_HOST=0.0.0.0 PARVIS_DATA_DIR=/var/lib/parvis

# The folders are made here so that volumes mounted on them belong to the user that runs.
RUN useradd --system --uid 10001 --home-dir /var/lib/parvis --shell /usr/sbin/nologin parvis \
 && install -d -o parvis -g parvis -m 0700 /var/lib/parvis /var/lib/parvis/media /backups

WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

COPY LICENSE README.md pyproject.toml ./
COPY shared shared
COPY services services
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
 && python -m compileall -q shared services

USER parvis
EXPOSE 8000 8001

# Each service is its own container: services.api, services.ingest, services.ingest.worker, services.scheduler.
CMD ["python", "-m", "services.api"]
