using System.Security.Cryptography;
using System.Threading.Channels;
using FailoverHub.Agent.Hub.Channels;
using FailoverHub.Agent.Hub.Enrolling;
using FailoverHub.Agent.Identity;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Protos.V1;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace FailoverHub.Agent.Hub;

/// <summary>
/// Keeps one stream to the hub open and dials again, with growing waits, for as long as the agent runs. Nothing in here can touch a
/// session: the node is only read, and told what the hub wants.
/// </summary>
internal sealed partial class HubLink : IDisposable
{
    // Answers to older revisions are worth nothing to the hub; the one to the intent in force is given anew with every stream.
    private const int AnswersKept = 64;

    // For the hub to acknowledge what it was told, before the stream moves to a new certificate.
    private static readonly TimeSpan _movePatience = TimeSpan.FromSeconds(5);

    private readonly HubLinkSettings _settings;
    private readonly NodeLoop _node;
    private readonly Journal _journal;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly HubMembership? _membership;
    private readonly CancellationTokenSource _ending = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Channel<IntentAnswer> _answers = Channel.CreateBounded<IntentAnswer>(new BoundedChannelOptions(AnswersKept) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly Channel<RequestAnswer> _requestAnswers = Channel.CreateBounded<RequestAnswer>(new BoundedChannelOptions(AnswersKept) { FullMode = BoundedChannelFullMode.DropOldest });
    private readonly IntentClock _clock;
    private readonly HubBackoff _backoff;
    private HubConversation? _conversation;
    private Welcomed _peers = new([]);
    private HubChannel? _channel;
    private HubIdentity? _shown;
    private TaskCompletionSource _renewed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _errorGate = new();
    private (string Problem, DateTimeOffset At)? _lastError;
    private bool _refused;
    private bool _lossSaid;
    private bool _connectedSaid;

    // The last stream, of which there may have been none, was of use. A hub that welcomes us and goes again and again is not: its comings and goings are dialled at growing waits and not worth a line each.
    private bool _proven = true;

    public HubLink(HubLinkSettings settings, NodeLoop node, Journal journal, TimeProvider time, ILogger<HubLink> logger)
    {
        _settings = settings;
        _backoff = new HubBackoff(new Random(), settings.LongestBackoff);
        _node = node;
        _journal = journal;
        _time = time;
        _logger = logger;
        if (settings.Member is { } member)
        {
            _membership = new HubMembership(settings, member.Identity, member.Store, time, logger) { Tell = TellAsync };
            _membership.Renewed += OnRenewed;
        }

        _clock = new IntentClock(time);
        node.Changed += Wake;
        node.IntentStored += _clock.Stored;
        node.Answered += OnAnswered;
        node.RequestAnswered += OnRequestAnswered;
        journal.Appended += Wake;
        if (settings.Vantage is { } vantage)
        {
            vantage.BatchDue += Wake;
        }
    }

    /// <summary>Whether there is a stream that the hub has welcomed; from any thread.</summary>
    public bool IsConnected => Volatile.Read(ref _conversation) is not null;

    /// <summary>What is shown to the hub now; null: nothing. From any thread.</summary>
    public HubIdentity? Identity => _membership?.Identity;

    /// <summary>From any thread.</summary>
    public HubReading Reading
    {
        get
        {
            lock (_errorGate)
            {
                return new HubReading
                {
                    Hub = _settings.Hub,
                    IsConnected = IsConnected,
                    LastError = _lastError?.Problem,
                    LastErrorAt = _lastError?.At,
                    Membership = _membership?.Reading,
                    Peers = Volatile.Read(ref _peers).All,
                };
            }
        }
    }

    /// <summary>The loop, and beside it the one that renews the certificate. Ends after <see cref="FinishAsync"/>.</summary>
    public async Task RunAsync()
    {
        var renewing = _membership?.RunAsync(_ending.Token) ?? Task.CompletedTask;
        await DialAsync();
        await renewing;
    }

    private async Task DialAsync()
    {
        var ending = _ending.Token;
        while (!ending.IsCancellationRequested)
        {
            string problem;
            try
            {
                problem = await ConverseAsync(ending);
            }
            catch (Exception exception) when (!ending.IsCancellationRequested)
            {
                // A bug, or a machine in trouble. The hub is never needed for an address to work, so neither is this.
                Broken(_logger, exception);
                _backoff.Exhaust();
                problem = exception.Message;
            }

            if (ending.IsCancellationRequested)
            {
                return;
            }

            if (Volatile.Read(ref _renewed).Task.IsCompleted)
            {
                // The stream was ended by us, to begin again with the new certificate.
                continue;
            }

            var wait = _backoff.Next(_refused ? _settings.RefusedBackoff : null);
            SayLost(problem, wait);
            try
            {
                await Task.Delay(wait, _time, ending);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>Sends what the hub does not know yet, for as long as the patience lasts, and ends the loop.</summary>
    public async Task FinishAsync(Task running, TimeSpan patience)
    {
        if (Volatile.Read(ref _conversation) is { } conversation)
        {
            await Task.WhenAny(conversation.FinishAsync(), Task.Delay(patience, _time));
        }

        await _ending.CancelAsync();
        await running;
    }

    public void Dispose()
    {
        _node.Changed -= Wake;
        _node.IntentStored -= _clock.Stored;
        _node.Answered -= OnAnswered;
        _node.RequestAnswered -= OnRequestAnswered;
        _journal.Appended -= Wake;
        if (_settings.Vantage is { } vantage)
        {
            vantage.BatchDue -= Wake;
        }

        _channel?.Dispose();
        _ending.Dispose();
    }

    // One stream from its beginning to its end; why it ended.
    private async Task<string> ConverseAsync(CancellationToken ending)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ending);
        var renewed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _renewed, renewed);
        _refused = false;
        try
        {
            using var call = new AgentLink.AgentLinkClient(ToTheHub().Grpc).Connect(cancellationToken: over.Token);
            var interval = await GreetAsync(call, over.Token);
            await (_membership?.AcceptedAsync() ?? Task.CompletedTask);
            await _node.PostAsync(new NodeEvent.HubConnected(), over.Token);
            _connectedSaid = false;
            if (_proven)
            {
                SayConnected();
            }

            _proven = false;
            var conversation = new HubConversation(call, _settings, _node, _journal, _time)
            {
                Clock = _clock,
                Wake = _wake.Reader,
                Answers = _answers.Reader,
                RequestAnswers = _requestAnswers.Reader,
                ReportInterval = interval,
                OnSomethingToDo = Wake,
                OnProven = OnProven,
            };
            Volatile.Write(ref _conversation, conversation);
            var running = conversation.RunAsync(over);
            if (await Task.WhenAny(running, renewed.Task) != running)
            {
                await MoveAsync(conversation, running, over);
            }

            return await running;
        }
        catch (RpcException exception)
        {
            return await WordsAsync(exception);
        }
        catch (CryptographicException exception)
        {
            _refused = true;
            return $"this node's key or certificate for it cannot be used ({exception.Message.TrimEnd('.')}); {IdentityWords.JoinAgain(_settings.Hub)}";
        }
        catch (OperationCanceledException)
        {
            return "it did not answer in time";
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or InvalidOperationException)
        {
            return exception.Message;
        }
        finally
        {
            Volatile.Write(ref _conversation, null);
            await over.CancelAsync();
        }
    }

    // Hello, and Welcome as the first answer. Gives the report interval that the hub wants.
    private async Task<TimeSpan> GreetAsync(AsyncDuplexStreamingCall<AgentMessage, HubMessage> call, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timeout = new CancellationTokenSource(_settings.WelcomeTimeout, _time);
        using var registration = timeout.Token.Register(patience.Cancel);
        await Greeting.SayAsync(call, HubMapping.Hello(_settings, _journal.BootId, _node.Current), patience.Token);
        if (!await call.ResponseStream.MoveNext(patience.Token))
        {
            throw new IOException("it closed the stream instead of a welcome");
        }

        if (call.ResponseStream.Current.Welcome is not { } welcome)
        {
            throw new IOException("it began with something else than a welcome");
        }

        _settings.Granted(HubMapping.Grant(welcome));
        Volatile.Write(ref _peers, new Welcomed(HubMapping.Peers(welcome)));
        return HubConversation.ReportIntervalOf(welcome);
    }

    // The hub is told everything and has acknowledged it before the stream ends: the next one, with the new certificate, goes on behind it.
    private async Task MoveAsync(HubConversation conversation, Task running, CancellationTokenSource over)
    {
        using var patience = new CancellationTokenSource();
        await Task.WhenAny(conversation.FinishAsync(), running, Task.Delay(_movePatience, _time, patience.Token));
        await patience.CancelAsync();
        if (!running.IsCompleted)
        {
            await over.CancelAsync();
        }
    }

    // One channel for each certificate.
    private HubChannel ToTheHub()
    {
        var identity = _membership?.Identity;
        if (_channel is null || !ReferenceEquals(identity, _shown))
        {
            _channel?.Dispose();
            _channel = null;
            _channel = HubChannel.To(_settings.Hub, _settings.Trust, identity, _time);
            _shown = identity;
        }

        return _channel;
    }

    private async Task<string> WordsAsync(RpcException exception)
    {
        var words = _channel!.Words(exception);
        if (exception.StatusCode == StatusCode.Unauthenticated)
        {
            _refused = true;
            await (_membership?.RefusedAsync(words.TrimEnd('.')) ?? Task.CompletedTask);
            return _membership is null ? $"it takes nodes with a certificate only ({words.TrimEnd('.')}); {IdentityWords.JoinAgain(_settings.Hub)}" : words;
        }

        return _membership is null && _channel.IsTls ? $"{words.TrimEnd('.')}; this node has not joined it: {IdentityWords.JoinAgain(_settings.Hub)}" : words;
    }

    private async Task TellAsync(MembershipNews news, string text)
    {
        var kind = news switch
        {
            MembershipNews.Renewed => TransitionKind.CertificateRenewed,
            MembershipNews.Accepted => TransitionKind.CertificateAccepted,
            MembershipNews.Expired => TransitionKind.CertificateExpired,
            _ => TransitionKind.CertificateRefused,
        };
        try
        {
            await _node.PostAsync(new NodeEvent.MembershipChanged(kind, text), _ending.Token);
        }
        catch (Exception exception) when (exception is OperationCanceledException or ChannelClosedException)
        {
            // The agent ends; the next one finds out by itself.
        }
    }

    private void OnRenewed() => Volatile.Read(ref _renewed).TrySetResult();

    private void OnAnswered(IntentAnswer answer)
    {
        _clock.Answered(answer.Revision);
        _answers.Writer.TryWrite(answer);
        Wake();
    }

    private void OnRequestAnswered(RequestAnswer answer)
    {
        _requestAnswers.Writer.TryWrite(answer);
        Wake();
    }

    // On either loop of the conversation, while this class awaits both.
    private void OnProven()
    {
        _proven = true;
        _backoff.Reset();
        _lossSaid = false;
        SayConnected();
    }

    private void SayConnected()
    {
        if (!_connectedSaid)
        {
            _connectedSaid = true;
            Connected(_logger, _settings.Hub, _node.Current.Intent?.Revision ?? 0);
        }
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void SayLost(string problem, TimeSpan wait)
    {
        lock (_errorGate)
        {
            _lastError = (problem.TrimEnd('.'), _time.GetUtcNow());
        }

        if (_lossSaid)
        {
            StillLost(_logger, _settings.Hub, problem, wait.TotalSeconds);
            return;
        }

        _lossSaid = true;
        var state = _node.Current;
        Lost(_logger, _settings.Hub, problem, state.EstablishedSessions, state.Advertisements.Length);
    }

    // In one reference, which another thread reads.
    private sealed record Welcomed(System.Collections.Immutable.ImmutableArray<Identity.PeerHost> All);

    [LoggerMessage(EventId = 1, Level = LogLevel.Information, Message = "Hub {Hub} connected; this node obeys intent revision {Revision}")]
    private static partial void Connected(ILogger logger, Uri hub, ulong revision);

    [LoggerMessage(EventId = 2, Level = LogLevel.Warning, Message = "No hub at {Hub}: {Problem}; {Sessions} established sessions and {Prefixes} announced prefixes stay as they are, trying again")]
    private static partial void Lost(ILogger logger, Uri hub, string problem, int sessions, int prefixes);

    [LoggerMessage(EventId = 3, Level = LogLevel.Debug, Message = "Still no hub at {Hub}: {Problem}; trying again in {Seconds:0.0} s")]
    private static partial void StillLost(ILogger logger, Uri hub, string problem, double seconds);

    [LoggerMessage(EventId = 4, Level = LogLevel.Critical, Message = "The link to the hub broke on an internal error; the sessions are not touched, the hub is dialled again")]
    private static partial void Broken(ILogger logger, Exception exception);
}
