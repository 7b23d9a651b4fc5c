# The command, Dagster's web server and daemon, and the telemetry API: one image. See docs/deployment.md.
FROM python:3.11-slim AS installed
RUN pip install --no-cache-dir uv==0.13.9
COPY . /source
RUN UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 /source/deploy/install.sh /opt/cpc

FROM python:3.11-slim
COPY --from=installed /opt/cpc /opt/cpc
COPY deploy/dagster.yaml workspace.yaml /opt/dagster/
RUN useradd --uid 10001 cpc && mkdir /workspace && chown cpc /workspace /opt/dagster
ENV PATH=/opt/cpc/bin:$PATH DAGSTER_HOME=/opt/dagster DAGSTER_DISABLE_TELEMETRY=yes DO_NOT_TRACK=1 \
    CPC_WORKSPACE=/workspace CPC_CONTEXTS=/contexts CPC_API_HOST=0.0.0.0
USER cpc
WORKDIR /workspace
VOLUME /workspace
ENTRYPOINT ["cpc"]
CMD ["--help"]
