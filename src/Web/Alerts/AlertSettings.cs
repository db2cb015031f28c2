using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Records;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

namespace FailoverHub.Web.Alerts;

/// <summary>The owner of rules and channels: what the loops read without asking the database, and where they are changed, one change at a time.</summary>
internal sealed class AlertSettings(AlertSettingsStore store, ChannelSecrets secrets) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private volatile State _state = new([], []);

    // A write has failed, by what was said of it: its commit may have come through.
    private bool _isInDoubt;

    /// <summary>Rules by name.</summary>
    public ImmutableArray<AlertRule> Rules => _state.Rules;

    /// <summary>Channels by name.</summary>
    public ImmutableArray<AlertChannel> Channels => _state.Channels;

    /// <summary>Raised after each change, by whoever made it: a handler returns at once.</summary>
    public event Action? Changed;

    public AlertRule? FindRule(string id) => Rules.FirstOrDefault(r => r.Id == id);

    public AlertChannel? FindChannel(string id) => Channels.FirstOrDefault(c => c.Id == id);

    /// <summary>Reads what is stored; once, before anybody asks.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await secrets.StartAsync(cancellationToken);
        await ReadAsync(cancellationToken);
        store.NodeRenamed = RenamedAsync;
    }

    private async Task ReadAsync(CancellationToken cancellationToken) =>
        _state = new State(await store.RulesAsync(cancellationToken), await store.ChannelsAsync(cancellationToken));

    /// <summary>Makes a rule. Its id and revision are given here.</summary>
    public Task<SettingResult<AlertRule>> CreateAsync(AlertRule rule, Actor actor, CancellationToken cancellationToken) =>
        SaveAsync(rule with { Id = NewId(), Name = rule.Name.Trim(), Revision = 1 }, null, "alert-rule-created", actor, cancellationToken);

    /// <summary>Changes a rule.</summary>
    /// <param name="rule">As it is to be; its kind cannot be changed.</param>
    /// <param name="expected">The revision that was seen; null: any.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Stops it while nothing is written.</param>
    public Task<SettingResult<AlertRule>> ChangeAsync(AlertRule rule, long? expected, Actor actor, CancellationToken cancellationToken) =>
        SaveAsync(rule with { Name = rule.Name.Trim() }, expected ?? 0, "alert-rule-changed", actor, cancellationToken);

    /// <summary>Takes a rule away; its alerts end.</summary>
    public Task<SettingResult<AlertRule>> RemoveRuleAsync(string id, long? expected, Actor actor, CancellationToken cancellationToken) => InTurnAsync<AlertRule>(async () =>
    {
        if (FindRule(id) is not { } before)
        {
            return new SettingResult<AlertRule>.NotFound($"There is no alert rule with the id '{id}'.");
        }

        if (expected is { } seen && seen != before.Revision)
        {
            return new SettingResult<AlertRule>.Stale(before.Revision);
        }

        if (!await store.RemoveRuleAsync(before, Draft("alert-rule-removed", $"alert rule {before.Name}", actor) with { Before = AlertRecords.ToJson(before) }, cancellationToken))
        {
            return await StaleAsync<AlertRule>(() => FindRule(id)?.Revision, "alert rule");
        }

        _state = _state with { Rules = Rules.RemoveAll(r => r.Id == id) };
        return new SettingResult<AlertRule>.Done(before);
    }, cancellationToken);

    /// <summary>Makes a channel. A webhook without a key for its signature gets one, which is shown once.</summary>
    public Task<SettingResult<AlertChannel>> CreateAsync(AlertChannel channel, ChannelSecret given, Actor actor, CancellationToken cancellationToken)
    {
        string? made = channel.Type == AlertChannelType.Webhook && given.Key is null ? Secret.New() : null;
        return SaveAsync(channel with { Id = NewId(), Name = channel.Name.Trim(), Revision = 1 }, given, made, null, "alert-channel-created", actor, cancellationToken);
    }

    /// <summary>Changes a channel.</summary>
    /// <param name="channel">As it is to be; its type cannot be changed.</param>
    /// <param name="given">What is new of its secret; what is null stays, unless it leads to another host.</param>
    /// <param name="renewSecret">Of a webhook: a new key for its signature is made, and shown once.</param>
    /// <param name="expected">The revision that was seen; null: any.</param>
    /// <param name="actor">Who.</param>
    /// <param name="cancellationToken">Stops it while nothing is written.</param>
    public Task<SettingResult<AlertChannel>> ChangeAsync(AlertChannel channel, ChannelSecret given, bool renewSecret, long? expected, Actor actor, CancellationToken cancellationToken) =>
        SaveAsync(channel with { Name = channel.Name.Trim() }, given, renewSecret && channel.Type == AlertChannelType.Webhook ? Secret.New() : null, expected ?? 0, "alert-channel-changed", actor, cancellationToken);

    /// <summary>Takes a channel away; what waits for it is dropped, and rules that name it name it no more.</summary>
    public Task<SettingResult<AlertChannel>> RemoveChannelAsync(string id, long? expected, Actor actor, CancellationToken cancellationToken) => InTurnAsync<AlertChannel>(async () =>
    {
        if (FindChannel(id) is not { } before)
        {
            return new SettingResult<AlertChannel>.NotFound($"There is no alert channel with the id '{id}'.");
        }

        if (expected is { } seen && seen != before.Revision)
        {
            return new SettingResult<AlertChannel>.Stale(before.Revision);
        }

        if (Rules.Where(r => r.Channels is { } chosen && chosen.Contains(id)).Select(r => r.Name).ToList() is { Count: > 0 } users)
        {
            return Problem<AlertChannel>("$", $"These rules tell it: {string.Join(", ", users)}. Take it out of them first.");
        }

        if (!await store.RemoveChannelAsync(before, Draft("alert-channel-removed", $"alert channel {before.Name}", actor) with { Before = AlertRecords.ToJson(before) }, cancellationToken))
        {
            return await StaleAsync<AlertChannel>(() => FindChannel(id)?.Revision, "alert channel");
        }

        _state = _state with { Channels = Channels.RemoveAll(c => c.Id == id) };
        secrets.Learn(id, null);
        return new SettingResult<AlertChannel>.Done(before);
    }, cancellationToken);

    public void Dispose() => _turn.Dispose();

    private async Task RenamedAsync(string from, string to)
    {
        await _turn.WaitAsync(CancellationToken.None);
        try
        {
            // As it stands on the disk by now. Whoever is just changing one of them finds another revision there, and looks again.
            _state = _state with { Rules = [.. Rules.Select(rule => rule.WithNodeRenamed(from, to) ?? rule)] };
            Changed?.Invoke();
        }
        finally
        {
            _turn.Release();
        }
    }

    private Task<SettingResult<AlertRule>> SaveAsync(AlertRule rule, long? expected, string action, Actor actor, CancellationToken stop) => InTurnAsync<AlertRule>(async () =>
    {
        AlertRule? before = FindRule(rule.Id);
        if (expected is not null && before is null)
        {
            return new SettingResult<AlertRule>.NotFound($"There is no alert rule with the id '{rule.Id}'.");
        }

        if (before is not null && expected is > 0 && expected != before.Revision)
        {
            return new SettingResult<AlertRule>.Stale(before.Revision);
        }

        AlertRule after = before is null ? rule : rule with { Kind = before.Kind, Revision = before.Revision + 1 };
        var problems = AlertRuleCheck.Problems(after, Channels.Select(c => c.Id).ToHashSet());
        if (Rules.Any(r => r.Id != after.Id && string.Equals(r.Name, after.Name, StringComparison.OrdinalIgnoreCase)))
        {
            problems = problems.SetItem("name", "Another rule has that name.");
        }

        if (!problems.IsEmpty)
        {
            return new SettingResult<AlertRule>.Invalid(problems);
        }

        AuditDraft draft = Draft(action, $"alert rule {after.Name}", actor) with { Before = before is null ? null : AlertRecords.ToJson(before), After = AlertRecords.ToJson(after) };
        if (!await store.SaveAsync(after, draft, stop))
        {
            return await StaleAsync<AlertRule>(() => FindRule(after.Id)?.Revision, "alert rule");
        }

        _state = _state with { Rules = [.. Rules.RemoveAll(r => r.Id == after.Id).Add(AlertRecords.ToRule(AlertRecords.ToEntity(after))).OrderBy(r => r.Name, StringComparer.OrdinalIgnoreCase)] };
        return new SettingResult<AlertRule>.Done(after);
    }, stop);

    private Task<SettingResult<AlertChannel>> SaveAsync(AlertChannel channel, ChannelSecret given, string? made, long? expected, string action, Actor actor, CancellationToken stop) => InTurnAsync<AlertChannel>(async () =>
    {
        AlertChannel? before = FindChannel(channel.Id);
        if (expected is not null && before is null)
        {
            return new SettingResult<AlertChannel>.NotFound($"There is no alert channel with the id '{channel.Id}'.");
        }

        if (before is not null && expected is > 0 && expected != before.Revision)
        {
            return new SettingResult<AlertChannel>.Stale(before.Revision);
        }

        AlertChannel wanted = channel with { Type = before?.Type ?? channel.Type, Revision = (before?.Revision ?? 0) + 1 };
        ChannelSecret? kept = before is { HasSecret: true } ? await secrets.OpenAsync(before.Id, stop) : null;
        (AlertChannel after, ChannelSecret secret, ImmutableSortedDictionary<string, string> problems) = ChannelEdit.Of(before, kept, wanted, given with { Key = made ?? given.Key });
        if (Channels.Any(c => c.Id != after.Id && string.Equals(c.Name, after.Name, StringComparison.OrdinalIgnoreCase)))
        {
            problems = problems.SetItem("name", "Another channel has that name.");
        }

        if (!problems.IsEmpty)
        {
            return new SettingResult<AlertChannel>.Invalid(problems);
        }

        AuditDraft draft = Draft(action, $"alert channel {after.Name}", actor) with
        {
            Reason = made is null && given.Key is null && (given.Url is null || after.Mark is null) ? null : "With a new secret.",
            Before = before is null ? null : AlertRecords.ToJson(before),
            After = AlertRecords.ToJson(after),
        };
        string? closed = secret.IsEmpty ? null : secrets.Close(after.Id, secret);
        if (!await store.SaveAsync(after, closed, draft, stop))
        {
            return await StaleAsync<AlertChannel>(() => FindChannel(after.Id)?.Revision, "alert channel");
        }

        _state = _state with { Channels = [.. Channels.RemoveAll(c => c.Id == after.Id).Add(AlertRecords.ToChannel(AlertRecords.ToEntity(after, closed))).OrderBy(c => c.Name, StringComparer.OrdinalIgnoreCase)] };
        secrets.Learn(after.Id, closed);
        return new SettingResult<AlertChannel>.Done(after, made);
    }, stop);

    private async Task<SettingResult<T>> InTurnAsync<T>(Func<Task<SettingResult<T>>> change, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_isInDoubt)
            {
                await ReadAsync(stop);
                _isInDoubt = false;
            }

            // What was written is in memory by now, and is not read again: if that failed, who asked would be told that nothing was done.
            SettingResult<T> result = await change();
            if (result is SettingResult<T>.Done)
            {
                Changed?.Invoke();
            }

            return result;
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            _isInDoubt = true;
            return new SettingResult<T>.NotWritten($"The audit cannot be written ({e.GetBaseException().Message}). Nothing was done.");
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The database had another one than was known here: what stands there is read, and whoever was slower looks again.</summary>
    private async Task<SettingResult<T>> StaleAsync<T>(Func<long?> revision, string what)
    {
        await ReadAsync(CancellationToken.None);
        Changed?.Invoke();
        return revision() is { } newest ? new SettingResult<T>.Stale(newest) : new SettingResult<T>.NotFound($"Somebody has removed the {what} meanwhile.");
    }

    private static SettingResult<T>.Invalid Problem<T>(string field, string what) => new(ImmutableSortedDictionary<string, string>.Empty.Add(field, what));

    private static AuditDraft Draft(string action, string target, Actor actor) => new() { Actor = actor, Action = action, Target = target, Outcome = "accepted" };

    private static string NewId() => Guid.CreateVersion7().ToString("N");

    private sealed record State(ImmutableArray<AlertRule> Rules, ImmutableArray<AlertChannel> Channels);
}
