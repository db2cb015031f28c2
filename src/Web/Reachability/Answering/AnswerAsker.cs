using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;

namespace FailoverHub.Web.Reachability.Answering;

/// <summary>What the asker works with.</summary>
/// <param name="Fleet">Is asked who there is, and told who answers.</param>
/// <param name="Keys">Of questions and answers.</param>
/// <param name="Nodes">What a label is called.</param>
/// <param name="Events">Told of what changes.</param>
/// <param name="Time">The clock.</param>
internal sealed record AnswerAskerTools(FleetStore Fleet, IdentityKeys Keys, NodeRegister Nodes, EventLog Events, TimeProvider Time);

/// <summary>
/// The loop "who-answers": asks each shared address which node answers there, and tells the fleet. It owns the <see cref="AnswerBoard"/>, which decides.
/// <code>
///   fleet ──targets──▶ board ──due──▶ one of 16 sockets ──▶ shared address
///                        ▲                                        │
///                        └── channel ◀── one loop each ◀──────────┘     fleet, events ◀── board
/// </code>
/// Questions leave from sixteen ports in turn: where a network shares flows out among several ways, and with them among several nodes, one port would see one of them only.
/// </summary>
internal sealed partial class AnswerAsker : BackgroundService
{
    private const int Sockets = 16;

    // Above what is asked in the two seconds in which an answer counts.
    private const int MostWaiting = 2_048;

    private static readonly TimeSpan TargetsEvery = TimeSpan.FromMilliseconds(100);

    // Every address is looked at then, which is too much for each answer.
    private static readonly TimeSpan JudgeEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OpenAgainAfter = TimeSpan.FromSeconds(10);

    private readonly AnswerAskerTools _tools;
    private readonly ILogger _logger;
    private readonly AnswerBoard _board = new();
    private readonly Channel<(ReceivedDatagram Datagram, Moment At)> _received =
        Channel.CreateBounded<(ReceivedDatagram Datagram, Moment At)>(new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    private readonly List<AnswerSocket> _sockets = [];
    private FleetSnapshot? _fleetSeen;
    private TimeSpan _targetsSetAt;
    private TimeSpan _toldAt;
    private TimeSpan? _judgedAt;
    private ImmutableDictionary<IPNetwork, PrefixAnswer> _told = ImmutableDictionary<IPNetwork, PrefixAnswer>.Empty;
    private int _asked;
    private string? _problem;

    public AnswerAsker(AnswerAskerTools tools, ILogger<AnswerAsker> logger)
    {
        _tools = tools;
        _logger = logger;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await OpenAsync(stoppingToken))
        {
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var listening = _sockets.Select(socket => ListenAsync(socket, ending.Token)).ToList();
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var now = Moment.Of(_tools.Time);
                SetTargets(now.Uptime);
                Ask(now);
                TakeAnswers();
                await TellAsync(Moment.Of(_tools.Time), stoppingToken);
                await WaitAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The hub stops.
        }
        finally
        {
            // Also after a defect, which whoever owns this service is told of.
            await ending.CancelAsync();
            await Task.WhenAll(listening);
            _sockets.ForEach(socket => socket.Dispose());
        }
    }

    // Without descriptors left the hub does everything else, and tries again.
    private async Task<bool> OpenAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                while (_sockets.Count < Sockets)
                {
                    _sockets.Add(AnswerSocket.Open());
                }

                return true;
            }
            catch (SocketException exception)
            {
                LogCannotAsk(exception.Message);
                await Task.Delay(OpenAgainAfter, _tools.Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        _sockets.ForEach(socket => socket.Dispose());
        return false;
    }

    private void SetTargets(TimeSpan now)
    {
        FleetSnapshot fleet = _tools.Fleet.Current;
        if (!ReferenceEquals(fleet, _fleetSeen) && (_fleetSeen is null || now - _targetsSetAt >= TargetsEvery))
        {
            (_fleetSeen, _targetsSetAt) = (fleet, now);
            _board.SetTargets(AnswerTarget.Of(fleet), now);
        }
    }

    private void Ask(Moment now)
    {
        foreach (DueQuestion due in _board.TakeDue(now.Uptime))
        {
            var nonce = Nonce.New();
            string? problem = _sockets[_asked++ % _sockets.Count].Send(IdentityDatagram.Request(nonce, due.Target.Address, _tools.Keys.Ask), new IPEndPoint(due.Target.Address, due.Port));
            if (problem is null)
            {
                _board.Sent(nonce, due.Target, Moment.Of(_tools.Time));
            }
            else if (problem != _problem)
            {
                LogNotSent(due.Target.Address, problem);
            }

            _problem = problem;
        }
    }

    private void TakeAnswers()
    {
        while (_received.Reader.TryRead(out (ReceivedDatagram Datagram, Moment At) come))
        {
            // From another address than the one that was asked it is no answer of that address, whatever is in it.
            if (IdentityDatagram.TryRead(come.Datagram.Octets, out ClaimedAnswer claimed)
                && _board.Find(claimed.Nonce) is { } question && question.Target.Address.Equals(come.Datagram.From))
            {
                if (!IdentityDatagram.IsTrue(claimed, question.Target.Address, _tools.Keys.AnswerOf(claimed.Label)))
                {
                    // The question stays out: whoever is asked may still answer it.
                    _board.Lied(question, NameOf(claimed.Label));
                    continue;
                }

                _board.TakeOut(claimed.Nonce);
                if (_board.Answered(question, NameOf(claimed.Label), come.Datagram.Ttl) is { } finding)
                {
                    Tell(finding);
                }
            }
        }
    }

    // By what the hub knew it when it gave the key; whoever was removed meanwhile answers all the same.
    private string NameOf(string label) => _tools.Nodes.FindById(label) is { } node ? node.RemovedAt is null ? node.Name : $"{node.Name} (removed)" : $"an unknown node ({label})";

    private async Task TellAsync(Moment now, CancellationToken stoppingToken)
    {
        if (_judgedAt is { } judged && now.Uptime - judged < JudgeEvery)
        {
            return;
        }

        _judgedAt = now.Uptime;
        foreach (AnswerFinding finding in _board.Judge(now))
        {
            Tell(finding);
        }

        ImmutableDictionary<IPNetwork, PrefixAnswer> current = _board.CurrentAt(now);
        if (!PrefixAnswer.SayTheSame(current, _told) || (now.Uptime - _toldAt >= TellEvery && current.Count > 0))
        {
            (_told, _toldAt) = (current, now.Uptime);
            await _tools.Fleet.PostAsync(new FleetMessage.Answered(current), stoppingToken);
        }
    }

    private void Tell(AnswerFinding finding)
    {
        LogFound(finding.Text);
        _tools.Events.Append(AnswerEvents.ToDraft(finding, _tools.Time.GetUtcNow()));
    }

    // Until something has come, or a question is due.
    private async Task WaitAsync(CancellationToken stoppingToken)
    {
        TimeSpan wait = TargetsEvery;
        if (_board.NextDue is { } due && due - Moment.Of(_tools.Time).Uptime is var left && left < wait)
        {
            wait = left < TimeSpan.FromMilliseconds(1) ? TimeSpan.FromMilliseconds(1) : left;
        }

        using var time = new CancellationTokenSource(wait, _tools.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, stoppingToken);
        try
        {
            await _received.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // A question is due, or the fleet may be another.
        }
    }

    private async Task ListenAsync(AnswerSocket socket, CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await socket.WaitAsync(stoppingToken);
                while (socket.TryReceive() is { } datagram)
                {
                    _received.Writer.TryWrite((datagram, Moment.Of(_tools.Time)));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The hub stops.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{What}")]
    private partial void LogFound(string what);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shared addresses are not asked who answers there, tried again in ten seconds: {Problem}")]
    private partial void LogCannotAsk(string problem);

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Address} cannot be asked who answers there: {Problem}")]
    private partial void LogNotSent(IPAddress address, string problem);
}
