# The project as an image: every mode of run.py, on this machine and in a cloud (docs/cloud.md).
#
#   docker build -t scaffold .
#   docker build -t scaffold-cuda --build-arg LOCK=requirements-cuda.txt .
#
# A tag can be given to another image later. For one base for good, ask for its digest with
# `docker buildx imagetools inspect python:3.11.13-slim-bookworm`, and write it behind the tag:
# python:3.11.13-slim-bookworm@sha256:...
FROM python:3.11.13-slim-bookworm

# requirements.txt: for CPUs. requirements-cuda.txt: the same pins, and NVIDIA's libraries; the
# driver comes from the machine.
ARG LOCK=requirements.txt

# Each line of a log at once, not when a buffer is full.
ENV PYTHONUNBUFFERED=1
# Google's clouds put the driver there; elsewhere these folders are not there and do no harm.
ENV LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64

WORKDIR /app

# The packages before the code: a changed line of code does not fetch them again. Wheels only, as
# what a source package builds with has no hashes.
COPY requirements.txt requirements-cuda.txt ./
RUN python -m pip install --no-cache-dir --disable-pip-version-check --root-user-action ignore \
        --only-binary :all: --require-hashes -r "$LOCK"

# What may be written: runs, converted data, and the home folder with its cache of modules; by
# everybody, as some clusters and `docker run --user` give the process another number.
RUN useradd --create-home --uid 1000 trainer \
    && install -d -m 1777 /app/out /app/dataset /home/trainer
ENV HOME=/home/trainer

# All that .dockerignore lets through; compiled here, because nobody may write it later.
COPY . .
RUN python -m compileall -q run.py convert_dataset.py library project extras

# As a number: Kubernetes' runAsNonRoot cannot look names up.
USER 1000:1000

# Without a shell before it, so that SIGTERM reaches Python, which saves a checkpoint and ends.
# Other programs: docker run --entrypoint python scaffold convert_dataset.py ...
ENTRYPOINT ["python", "/app/run.py"]
CMD ["--help"]
