# Images of the three programs: docker build --target service|worker|trainer .
#
# They run as user 10001 of group 0, without rights, on a read-only root file system: what they write
# is below /var/lib/banyan, which service, workers and trainer share, and /tmp. They are configured by
# BANYAN_ variables (docs/running.md). The service needs keys here, since it listens for everyone
# (docs/security.md). vLLM is an image of its own (helm/banyan/README.md). What is in an image is
# listed in /opt/banyan/sbom.cdx.json (CycloneDX).
#
# `make images-check` builds all three and runs them; where no registry is reached, on a base that
# stands in for the one below, made of Debian's packages.

# By tag, or exactly: --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=python:3.11.14-slim-trixie

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/banyan/bin:$PATH

# A program gets the part of the lock file that it needs; uv checks versions and hashes against it. What
# it needs is installed before the source comes, so that a change of the source leaves that layer alone.
FROM base AS build
ENV UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9
WORKDIR /src
COPY requirements/deploy.lock requirements/
# What lists the packages is itself no part of any image.
RUN uv venv /opt/sbom \
    && VIRTUAL_ENV=/opt/sbom uv pip install --constraint requirements/deploy.lock cyclonedx-bom \
    && uv venv /opt/banyan
ENV VIRTUAL_ENV=/opt/banyan
COPY requirements/service.lock requirements/
COPY pyproject.toml ./

FROM base AS source
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY banyan banyan
COPY service service
COPY workers workers
COPY training training

FROM build AS build-service
RUN uv pip install --constraint requirements/service.lock -r pyproject.toml --extra service --extra cli
COPY --from=source /src /src
RUN uv pip install --no-deps . \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible \
      --output-file /opt/banyan/sbom.cdx.json /opt/banyan

FROM build AS build-worker
RUN uv pip install --constraint requirements/service.lock -r pyproject.toml --extra worker
COPY --from=source /src /src
RUN uv pip install --no-deps . \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible \
      --output-file /opt/banyan/sbom.cdx.json /opt/banyan

# The loop talks to the service and to model servers; an update needs torch, in an environment of its
# own. The lock file has torch for CPUs: --build-arg TORCH_BACKEND=cu129 puts CUDA's in its place. It
# comes from PyTorch's index, or from a folder or page of wheels: --build-arg TORCH_LINKS="--find-links ..."
FROM build AS build-trainer
RUN uv pip install --constraint requirements/service.lock -r pyproject.toml --extra credit --extra worker
COPY requirements/training.lock requirements/
ARG TORCH_BACKEND=cpu
ARG TORCH_LINKS="--torch-backend cpu"
# hadolint ignore=SC2086
RUN uv venv /opt/training \
    && export VIRTUAL_ENV=/opt/training \
    && uv pip install ${TORCH_LINKS} --constraint requirements/training.lock -r pyproject.toml --extra training \
    && if [ "${TORCH_BACKEND}" != cpu ]; then \
      uv pip install --torch-backend "${TORCH_BACKEND}" --reinstall-package torch \
        "torch==$(sed -n 's/^torch==\([0-9.]*\).*/\1/p' requirements/training.lock)"; fi
COPY --from=source /src /src
RUN uv pip install --no-deps . \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible \
      --output-file /opt/banyan/sbom.cdx.json /opt/banyan \
    && VIRTUAL_ENV=/opt/training uv pip install --no-deps . \
    && /opt/sbom/bin/cyclonedx-py environment --output-reproducible \
      --output-file /opt/training/sbom.cdx.json /opt/training

# Without pip: nothing is installed into what runs.
FROM base AS runtime
RUN pip uninstall --yes --disable-pip-version-check pip setuptools wheel \
    && useradd --system --uid 10001 --gid 0 --no-create-home --home-dir /tmp banyan \
    && install --directory --owner 10001 --group 0 --mode 0770 /var/lib/banyan
ENV BANYAN_BLOB_DIR=/var/lib/banyan/blobs BANYAN_POLICY_DIR=/var/lib/banyan/policies HOME=/tmp
VOLUME /var/lib/banyan
WORKDIR /var/lib/banyan
USER 10001:0

FROM runtime AS service
COPY --from=build-service /opt/banyan /opt/banyan
ENV BANYAN_HOST=0.0.0.0 BANYAN_PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://127.0.0.1:' + os.environ['BANYAN_PORT'] + '/healthz', timeout=4)"]
CMD ["python", "-P", "-m", "service"]

FROM runtime AS worker
COPY --from=build-worker /opt/banyan /opt/banyan
ENV BANYAN_ALIVE_FILE=/tmp/alive
HEALTHCHECK --interval=20s --timeout=5s --start-period=30s CMD ["sh", "-c", "test $(($(date +%s) - $(stat -c %Y \"$BANYAN_ALIVE_FILE\"))) -lt 60"]
CMD ["python", "-P", "-m", "workers"]

FROM runtime AS trainer
COPY --from=build-trainer /opt/banyan /opt/banyan
COPY --from=build-trainer /opt/training /opt/training
ENV BANYAN_TRAINING_VENV=/opt/training
HEALTHCHECK NONE
ENTRYPOINT ["python", "-P", "-m", "training"]
CMD ["--help"]
