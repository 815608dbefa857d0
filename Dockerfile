# stockpipe in a small image: no compiler, no root, every package by its hash.
#   docker build -t stockpipe .
#   docker run --rm -v stockpipe:/data stockpipe demo
#   docker run --rm -v stockpipe:/data --env-file .env stockpipe run
FROM python:3.13-slim AS build
WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_ROOT_USER_ACTION=ignore
COPY tools/package.txt requirements.txt ./
RUN pip install --quiet --require-hashes -r package.txt \
    && python -m venv --without-pip /opt/stockpipe \
    && pip --python /opt/stockpipe install --quiet --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m build --wheel --no-isolation --outdir dist . \
    && pip --python /opt/stockpipe install --quiet --no-deps dist/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="stockpipe" \
      org.opencontainers.image.description="The Massive stock universe in your own warehouse, one verified day at a time." \
      org.opencontainers.image.source="https://github.com/Jeanmarturell/stock_trading_python_app" \
      org.opencontainers.image.licenses="MIT"
# A number as the user, so that Kubernetes can see that it is not root. /data is for the DuckDB file, logs and reports.
RUN groupadd --gid 10001 stockpipe \
    && useradd --uid 10001 --gid 10001 --create-home --shell /usr/sbin/nologin stockpipe \
    && install --directory --owner=stockpipe --group=stockpipe /data
COPY --from=build /opt/stockpipe /opt/stockpipe
ENV PATH=/opt/stockpipe/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /data
VOLUME /data
ENTRYPOINT ["stockpipe"]
CMD ["--help"]
