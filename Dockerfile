# Two stages: the first builds the wheel and installs it with exact versions, the second holds nothing but the result.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml requirements.lock README.md LICENSE ./
COPY adapter adapter
COPY mappings mappings
COPY profiles profiles
COPY fixtures fixtures
RUN python -m venv /opt/ost-adapter \
    && /opt/ost-adapter/bin/pip install --no-cache-dir --constraint requirements.lock .

FROM python:3.11-slim-bookworm
RUN groupadd --system --gid 10001 ost \
    && useradd --system --uid 10001 --gid ost --no-create-home --shell /usr/sbin/nologin ost
COPY --from=build /opt/ost-adapter /opt/ost-adapter

# Nothing is written at run time, so the container may be started with --read-only.
ENV PATH=/opt/ost-adapter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    OST_HOST=0.0.0.0 \
    OST_PORT=8080
USER 10001:10001
WORKDIR /
EXPOSE 8080
# Follows OST_PORT, whatever it is set to.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["ost-adapter", "healthcheck"]
ENTRYPOINT ["ost-adapter"]
CMD ["serve"]
