{#
  One row per usage record: `reason` and `detail` say why it is rejected (null if accepted), `is_repeat` marks
  repeats of the same record_id and content. `position` orders operations by batch time, batch name and position in
  the batch.
#}
{% macro judged_usage() %}
    with
        -- Only batches that the ledger counts: a load that was killed half-way is not there yet, and a batch
        -- that was replaced may still lie in a file for the moment.
        loaded as (
            select
                records.* exclude (load_id) replace ({{ trimmed("records.customer_id") }} as customer_id),
                -- No batch has four billion rows.
                batches.batch_rank * 4294967296 + records.batch_row as position
            from {{ source("landing", "telemetry_records") }} as records
            inner join {{ ref("stg_telemetry__batches") }} as batches using (load_id, batch_id)
        ),

        records as (
            select
                records.*,
                streams.granularity as stream_granularity,
                coalesce(records.granularity, streams.granularity) as usage_granularity,
                case
                    coalesce(records.granularity, streams.granularity)
                    when 'daily'
                    then date_trunc('day', records.usage_timestamp)
                    else date_trunc('hour', records.usage_timestamp)
                end as usage_period_start
            from loaded as records
            left join {{ ref("telemetry_streams") }} as streams using (stream)
        ),

        -- Filters are few, however many records have one.
        filters as (
            select filter, unnest(json_keys(filter)) as dimension
            from (select distinct filter from records where filter is not null)
        ),

        filter_elements as (
            select
                filter,
                dimension,
                unnest(cast(json_extract(filter, '$.' || dimension) as varchar[])) as element
            from filters
        ),

        filter_problems as (
            select
                filter_elements.filter,
                min(
                    case when known.dimension is null then 'unknown-dimension' else 'unknown-element' end
                ) as reason,
                string_agg(
                    distinct
                    case
                        when known.dimension is null
                        then
                            'the filter names the dimension '
                            || filter_elements.dimension
                            || ', which no file in contexts/dimensions defines'
                        else
                            'the filter names "'
                            || filter_elements.element
                            || '", which no rule of '
                            || filter_elements.dimension
                            || ' gives'
                            || coalesce(
                                '; write "' || list_filter(
                                    known.elements, lambda given:lower(given) = lower(filter_elements.element)
                                )[1]
                                || '"',
                                ''
                            )
                    end,
                    '; '
                ) as detail
            from filter_elements
            left join {{ ref("dimension_elements") }} as known using (dimension)
            where
                known.dimension is null
                or (known.elements is not null and not list_contains(known.elements, filter_elements.element))
            group by filter_elements.filter
        ),

        known as (
            select
                records.*,
                case
                    when records.stream_granularity is null then 'unknown-stream' else filter_problems.reason
                end as reason,
                case
                    when records.stream_granularity is null
                    then 'no stream "' || records.stream || '" in contexts/streams.yml'
                    else filter_problems.detail
                end as detail,
                case
                    when records.record_id is not null
                    then
                        hash(
                            records.usage_granularity,
                            records.usage_period_start,
                            records.customer_id,
                            records.operation,
                            records.value,
                            records.filter
                        )
                end as content
            from records
            left join filter_problems using (filter)
        ),

        -- Within a stream and day a record_id stands for one record: the first that names it.
        first_sent as (
            select
                usage_date,
                stream,
                record_id,
                min(position) as position,
                min_by(content, position) as content,
                min_by(batch_location || ' row ' || batch_row, position) as place
            from known
            where record_id is not null and reason is null
            group by usage_date, stream, record_id
        )

    select
        known.* exclude (reason, detail, content),
        case
            when known.reason is null and known.content <> first_sent.content
            then 'record-id-conflict'
            else known.reason
        end as reason,
        case
            when known.reason is null and known.content <> first_sent.content
            then
                'record_id "'
                || known.record_id
                || '" is another record, in '
                || first_sent.place
                || '; a record_id names one record'
            else known.detail
        end as detail,
        coalesce(
            known.position > first_sent.position and known.content = first_sent.content, false
        ) as is_repeat
    from known
    left join first_sent using (usage_date, stream, record_id)
{% endmacro %}
