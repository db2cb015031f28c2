using System.Collections.Immutable;
using FailoverHub.Web.Alerts.Channels;
using FailoverHub.Web.Alerts.Rules;
using FailoverHub.Web.Fleet;

namespace FailoverHub.Web.Alerts.Direct;

/// <summary>
/// Tells people from memory that the hub cannot write, while no message can be written: at once, past the queue, the log and its limits. What it knows ends with the hub, which then may tell it again;
/// nobody can acknowledge or shelve it.
/// </summary>
internal sealed partial class DirectAlarm(AlertSettings settings, AlertSenders senders, TimeProvider time, ILogger<DirectAlarm> logger)
{
    private readonly Lock _gate = new();
    private readonly DirectTelling _telling = new();

    // At most one for each channel.
    private ImmutableArray<Task> _sending = [];

    /// <summary>Looks; called each second. Whatever is sent goes on by itself until <see cref="EndAsync"/>.</summary>
    /// <param name="cannotWrite">The hub cannot write its history.</param>
    /// <param name="cannotStore">Nor alerts.</param>
    /// <param name="stop">Ends what is being sent.</param>
    public void Look(bool cannotWrite, bool cannotStore, CancellationToken stop)
    {
        AlertRule? rule = settings.Rules.Where(r => r is { Kind: AlertKind.HubStorage, Enabled: true }).MaxBy(r => r.Severity);
        ImmutableArray<AlertChannel> channels = rule is null ? [] : [.. settings.Channels.Where(c => c.Enabled && rule.Severity >= c.MinimumSeverity && (rule.Channels is not { } chosen || chosen.Contains(c.Id)))];
        ImmutableArray<DirectMessage> messages;
        lock (_gate)
        {
            messages = _telling.Look(new DirectFacts(cannotWrite, cannotStore, rule, [.. channels.Select(c => c.Id)]), Moment.Of(time));
        }

        _sending = [.. _sending.Where(t => !t.IsCompleted), .. messages.Select(m => SendAsync(m, stop))];
    }

    /// <summary>Id of the rule that people are being told of, until they are told that it is over; null: of none.</summary>
    public string? Told
    {
        get
        {
            lock (_gate)
            {
                return _telling.RuleId;
            }
        }
    }

    /// <summary>Waits until nothing is being sent any more; the token that was given to <see cref="Look"/> has been cancelled.</summary>
    public Task EndAsync() => Task.WhenAll(_sending);

    private async Task SendAsync(DirectMessage message, CancellationToken stop)
    {
        // Off the loop that looks.
        await Task.Yield();
        string? error = null;
        try
        {
            // A channel that is gone or off meanwhile is told nothing more.
            if (settings.FindChannel(message.Channel) is { Enabled: true } channel)
            {
                error = (await senders.SendAsync(channel, message.Outgoing, stop)).Error;
                LogTold(logger, message.Outgoing.Message.Kind, channel.Name, error ?? "taken");
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception fault)
        {
            // Whatever it is must not end the hub while its disk is full: it is tried again.
            LogNotSent(logger, message.Channel, fault);
            error = fault.Message;
        }

        lock (_gate)
        {
            if (error is null)
            {
                _telling.Took(message.Channel, message.Outgoing.Message.Kind, Moment.Of(time).Uptime);
            }
            else
            {
                _telling.Failed(message.Channel, message.Outgoing.Message.Kind, Moment.Of(time).Uptime, Random.Shared.NextDouble());
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The hub cannot write, or can again; {Notice} was told from memory to channel {Channel}: {Result}")]
    private static partial void LogTold(ILogger logger, AlertNoticeKind notice, string channel, string result);

    [LoggerMessage(Level = LogLevel.Error, Message = "That the hub cannot write could not be told to channel {Channel}; it is tried again")]
    private static partial void LogNotSent(ILogger logger, string channel, Exception exception);
}
