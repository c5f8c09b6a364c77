# Images of the two programs: `docker build --target service .` and `docker build --target worker .`
#
# Not built yet where this was written: no container builder was at hand. The install steps below were
# run outside a container.
#
# Both run as a user without rights and are configured by BANYAN_ variables (docs/running.md). The
# service listens on loopback. In a container it needs BANYAN_HOST=0.0.0.0, and then every call needs a
# key (docs/security.md). Both programs need the same folder at BANYAN_BLOB_DIR.

FROM python:3.11.14-slim-trixie AS base
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH=/opt/banyan/bin:$PATH

# A program gets the part of the lock file that it needs; uv checks versions and hashes against it.
FROM base AS build
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9 && uv venv /opt/banyan
ENV VIRTUAL_ENV=/opt/banyan UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY requirements/service.lock requirements/
COPY banyan banyan
COPY service service
COPY workers workers
COPY training training

FROM build AS build-service
RUN uv pip install --constraint requirements/service.lock '.[service]'

FROM build AS build-worker
RUN uv pip install --constraint requirements/service.lock '.[worker]'

FROM base AS runtime
RUN useradd --system --uid 10001 --no-create-home banyan \
    && install -d -o banyan -g banyan /var/lib/banyan/blobs
ENV BANYAN_BLOB_DIR=/var/lib/banyan/blobs
VOLUME /var/lib/banyan/blobs
WORKDIR /var/lib/banyan
USER banyan

FROM runtime AS service
COPY --from=build-service /opt/banyan /opt/banyan
EXPOSE 8080
CMD ["python", "-P", "-m", "service"]

FROM runtime AS worker
COPY --from=build-worker /opt/banyan /opt/banyan
CMD ["python", "-P", "-m", "workers"]
