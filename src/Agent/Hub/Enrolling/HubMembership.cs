using System.Security.Cryptography;
using FailoverHub.Agent.Hub.Channels;
using FailoverHub.Agent.Identity;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Hub.Enrolling;

/// <summary>Something about the membership that belongs into the journal.</summary>
internal enum MembershipNews
{
    Renewed,
    Refused,
    Accepted,
    Expired,
}

/// <summary>
/// Owns the identity of a running agent: renews its certificate at two thirds of its life, and knows whether the hub takes it. Each renewal has a new key: it
/// costs nothing, and a key that was copied once is worth nothing after the next one.
/// </summary>
internal sealed partial class HubMembership
{
    private readonly HubLinkSettings _settings;
    private readonly IdentityStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Random _random;
    private readonly Lock _gate = new();
    private MembershipReading _reading;
    // Issued by the hub, and not on the disk yet. Of the loop of the renewal.
    private HubIdentity? _unkept;
    private bool _expirySaid;
    private bool _troubleSaid;

    public HubMembership(HubLinkSettings settings, HubIdentity identity, IdentityStore store, TimeProvider time, ILogger logger)
        : this(settings, identity, store, time, logger, new Random())
    {
    }

    internal HubMembership(HubLinkSettings settings, HubIdentity identity, IdentityStore store, TimeProvider time, ILogger logger, Random random)
    {
        (_settings, _store, _time, _logger, _random) = (settings, store, time, logger, random);
        _reading = new MembershipReading(identity);
    }

    /// <summary>Told once for each transition, with a sentence for log and journal; on the loop that noticed it.</summary>
    public required Func<MembershipNews, string, Task> Tell { get; init; }

    /// <summary>There is another certificate from now on. On the loop of the renewal.</summary>
    public event Action? Renewed;

    /// <summary>From any thread.</summary>
    public MembershipReading Reading
    {
        get
        {
            lock (_gate)
            {
                return _reading;
            }
        }
    }

    public HubIdentity Identity => Reading.Identity;

    /// <summary>The loop of the renewal. Ends when it is cancelled.</summary>
    public async Task RunAsync(CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                await LiveAsync(ending);
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // A bug, or a machine in trouble. The certificate is good for days, and the hub is never needed for an address to work.
                Broken(_logger, exception);
                await Task.Delay(CertificateTimes.Longest, _time, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>The hub has said that it does not take the certificate. Of the link's loop.</summary>
    public async Task RefusedAsync(string words)
    {
        if (Change(reading => reading with { Refusal = words }).Refusal is null)
        {
            var text = $"the hub does not take this node's certificate: {words}; addresses stay announced, {IdentityWords.JoinAgain(_settings.Hub)}";
            await Tell(MembershipNews.Refused, text);
        }
    }

    /// <summary>The hub has taken it. Of the link's loop.</summary>
    public async Task AcceptedAsync()
    {
        if (Change(reading => reading with { Refusal = null }).Refusal is not null)
        {
            await Tell(MembershipNews.Accepted, "the hub takes this node's certificate again");
        }
    }

    // The life of one certificate: until it is renewed.
    private async Task LiveAsync(CancellationToken ending)
    {
        var times = Identity.Times;
        var luck = _random.NextDouble();
        while (times.UntilLook(_time.GetUtcNow(), luck) is var wait && wait > TimeSpan.Zero)
        {
            // Looked at again and again: clocks are set, by a day or by years.
            await Task.Delay(wait, _time, ending);
        }

        while (await RenewAsync(ending) is { } problem)
        {
            Change(reading => reading with { RenewalProblem = problem });
            await SayAsync(problem, times);
            await Task.Delay(times.UntilRetry(_time.GetUtcNow(), _random.NextDouble()), _time, ending);
        }

        _expirySaid = false;
        _troubleSaid = false;
        var next = Identity;
        var text = $"the hub has renewed this node's certificate, it is good until {CertificateTimes.Text(next.Times.NotAfter)} and is renewed after {CertificateTimes.Text(next.Times.RenewAfter)}";
        Renewed?.Invoke();
        await Tell(MembershipNews.Renewed, text);
    }

    // Null: done. Else why not.
    private async Task<string?> RenewAsync(CancellationToken ending)
    {
        var present = Identity;
        if (_unkept is { } issuedBefore)
        {
            return Keep(issuedBefore, present);
        }

        var (key, request) = NodeKey.Make();
        HubIdentity renewed;
        try
        {
            // A connection of its own: the stream is left in peace, and this happens once in weeks.
            using var channel = HubChannel.To(_settings.Hub, _settings.Trust, present, _time);
            var answer = await EnrollmentClient.RenewAsync(channel, request, _settings.Version, ending);
            if (answer.Given is not { } issued)
            {
                return answer.Problem!.Text;
            }

            var (identity, problem) = present.Renewed(key, issued);
            if (identity is null)
            {
                return $"what it issued cannot be used: {problem}";
            }

            renewed = identity;
        }
        catch (CryptographicException exception)
        {
            return $"this node's key or certificate cannot be used: {exception.Message.TrimEnd('.')}";
        }

        return Keep(renewed, present);
    }

    // Null: kept, and in use from now on. Else why not.
    private string? Keep(HubIdentity renewed, HubIdentity present)
    {
        // Somebody may have joined again meanwhile: what he was given counts.
        if (_store.Load().Identity is { } stored && stored.Fingerprint != present.Fingerprint)
        {
            _unkept = null;
            return "this node has been joined again meanwhile; SIGHUP, or a restart, takes that";
        }

        if (_store.Save(renewed) is { } unkept)
        {
            // Only the writing is tried again: the hub takes a few certificates of a node at once, and each one more would push out the one on the disk.
            _unkept = renewed;
            return unkept.TrimEnd('.');
        }

        _unkept = null;
        Change(_ => new MembershipReading(renewed));
        return null;
    }

    // Two loops change it: this one, and the link's, which hears what the hub says of the certificate.
    private MembershipReading Change(Func<MembershipReading, MembershipReading> change)
    {
        lock (_gate)
        {
            var before = _reading;
            _reading = change(before);
            return before;
        }
    }

    private async Task SayAsync(string problem, CertificateTimes times)
    {
        var now = _time.GetUtcNow();
        if (times.At(now) == CertificateCondition.Expired)
        {
            if (!_expirySaid)
            {
                _expirySaid = true;
                var text = $"this node's certificate for the hub ended at {CertificateTimes.Text(times.NotAfter)}, and it was not renewed in time ({problem}); addresses stay announced, {IdentityWords.JoinAgain(_settings.Hub)}";
                await Tell(MembershipNews.Expired, text);
            }

            return;
        }

        if (!_troubleSaid)
        {
            _troubleSaid = true;
            NotRenewed(_logger, problem, (times.NotAfter - now).TotalDays);
        }
    }

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "The certificate for the hub is not renewed: {Problem}; it is good for {Days:0.0} days more, tried again")]
    private static partial void NotRenewed(ILogger logger, string problem, double days);

    [LoggerMessage(EventId = 3, Level = LogLevel.Critical, Message = "The renewal of the certificate broke on an internal error; nothing else is touched, it is tried again in an hour")]
    private static partial void Broken(ILogger logger, Exception exception);
}
