# A CPU-only image that downloads nothing at run time: the embedder is exported and seeds/ is indexed while it is built.
#
#   docker build -t citespan .
#   docker run --read-only --tmpfs /tmp -v citespan:/data -p 127.0.0.1:8000:8000 \
#       -e CITESPAN_API_KEYS=admin:SECRET -e CITESPAN_PUBLIC_URL=http://127.0.0.1:8000 citespan

FROM python:3.11-slim-bookworm AS builder

# Where torch comes from. The default index has builds with gigabytes of CUDA in them; leave empty to use it all the same.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    HF_HUB_OFFLINE=1

RUN python -m venv /opt/citespan
ENV PATH=/opt/citespan/bin:$PATH

WORKDIR /src

# The dependencies first: this layer, by far the largest, stays as it is while only the code changes.
COPY pyproject.toml constraints.txt ./
RUN python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"], sep="\n")' \
        > requirements.txt \
    && pip install ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} -c constraints.txt -r requirements.txt

COPY README.md LICENSE ./
COPY index index
COPY service service
COPY eval eval
RUN pip install --no-deps .

# The embedder in its exported form, and what a new volume is filled with. Away from /src, so that the installed package
# is what runs.
COPY seeds /opt/seeds
WORKDIR /opt
ENV CITESPAN_DATA_DIR=/opt/citespan-template \
    CITESPAN_MODEL_CACHE=/opt/citespan-models
RUN citespan build /opt/seeds \
    && citespan doctor


FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Citespan" \
      org.opencontainers.image.description="Extractive question answering over your documents, with exact citations" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim-bookworm"

# The numbers are fixed: whoever owns the volume outside can rely on them.
RUN groupadd --gid 10001 citespan \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin citespan \
    && install -d -o 10001 -g 10001 -m 0750 /data

COPY --from=builder /opt/citespan /opt/citespan
COPY --from=builder /opt/citespan-models /opt/citespan-models
COPY --from=builder /opt/citespan-template /opt/citespan-template
COPY --chmod=0755 docker/entrypoint.sh /usr/local/bin/citespan-entrypoint

# Only /data and /tmp are ever written. On 0.0.0.0 the service refuses to start without CITESPAN_API_KEYS: so it should.
# For another embedder than the default one, set CITESPAN_MODEL_CACHE to a folder that can be written: /data/.models.
ENV PATH=/opt/citespan/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    HF_HUB_OFFLINE=1 \
    CITESPAN_DATA_DIR=/data \
    CITESPAN_MODEL_CACHE=/opt/citespan-models \
    CITESPAN_HOST=0.0.0.0

USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM

# Past any proxy that the environment may name.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", \
    "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/readyz', timeout=4)"]

ENTRYPOINT ["citespan-entrypoint"]
CMD ["serve"]
