-- Facts of an account, by start and end of a charge's period; see resource_facts.
with
    versions as (
        select
            *,
            least(
                coalesce(valid_to, timestamp '9999-12-31'),
                lead(valid_from, 1, timestamp '9999-12-31') over (partition by account_id order by valid_from)
            ) as ends
        from {{ ref("accounts") }}
        where valid_to is null or valid_from < valid_to
    ),

    facts as (
        select
            versions.account_id,
            versions.valid_from,
            versions.ends,
            facts_read.fact,
            nullif(
                case
                    facts_read.field
                    when 'tags'
                    then versions.tags[facts_read.key]
                    when 'account_name'
                    then versions.account_name
                    when 'organizational_unit_path'
                    then versions.organizational_unit_path
                end,
                ''
            ) as value
        from versions
        cross join {{ ref("signal_facts") }} as facts_read
        where facts_read.signal = 'account' and versions.valid_from < versions.ends
    )

select
    account_id,
    lag(ends, 1, timestamp '0001-01-01') over (partition by account_id order by valid_from) as begins_from,
    ends as begins_before,
    valid_from as lasts_from,
    timestamp 'infinity' as lasts_before,
    map_from_entries(list({'key':fact, 'value':value} order by fact)) as facts
from facts
group by account_id, valid_from, ends
