using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FailoverHub.Browser.Tests.Trial;

/// <summary>
/// A client of the shared address: a datagram every 10 ms, and who answered it. What is not answered in the end is lost.
/// </summary>
internal sealed class ProbeStream : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Lock _gate = new();
    private readonly List<Probe> _probes = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _sending;
    private readonly Task _receiving;

    public ProbeStream(string address)
    {
        _socket.Connect(IPAddress.Parse(address), 7777);
        _receiving = ReceiveAsync();
        _sending = SendAsync();
    }

    /// <summary>Time of the first answer of <paramref name="node"/> to a datagram that was sent after <paramref name="timestamp"/>.</summary>
    public async Task<TimeSpan> UntilAnsweredByAsync(string node, long timestamp, CancellationToken cancelled)
    {
        var found = await Waiting.UntilAsync(
            () => Task.FromResult(Snapshot().FirstOrDefault(probe => probe.SentAt >= timestamp && probe.Node == node)),
            probe => probe is not null,
            $"{node} answers",
            cancelled);
        return Stopwatch.GetElapsedTime(timestamp, found!.AnsweredAt);
    }

    /// <summary>Datagrams sent from one timestamp to another that were never answered. Settled ones only: give it some probes of time first.</summary>
    public int LostBetween(long from, long to) => Snapshot().Count(probe => probe.SentAt >= from && probe.SentAt < to && probe.Node is null);

    /// <summary>The longest time between two answers that came one after the other, from one timestamp to another.</summary>
    public TimeSpan LongestSilence(long from, long to)
    {
        var answers = Snapshot().Where(probe => probe.Node is not null && probe.AnsweredAt >= from && probe.AnsweredAt < to).Select(probe => probe.AnsweredAt).Order().ToArray();
        return answers.Zip(answers.Skip(1), (one, next) => Stopwatch.GetElapsedTime(one, next)).DefaultIfEmpty(TimeSpan.Zero).Max();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        await _receiving;
        _socket.Dispose();
        _stop.Dispose();
    }

    private Probe[] Snapshot()
    {
        lock (_gate)
        {
            return [.. _probes];
        }
    }

    private async Task SendAsync()
    {
        using var period = new PeriodicTimer(Period);
        try
        {
            while (await period.WaitForNextTickAsync(_stop.Token))
            {
                int number;
                lock (_gate)
                {
                    number = _probes.Count;
                    _probes.Add(new Probe(Stopwatch.GetTimestamp(), null, 0));
                }

                await SendOneAsync(number);
            }
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
    }

    private async Task SendOneAsync(int number)
    {
        try
        {
            await _socket.SendAsync(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), _stop.Token);
        }
        catch (SocketException)
        {
            // Port unreachable: that probe stays unanswered, which is what is counted.
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[256];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var count = await _socket.ReceiveAsync(buffer, _stop.Token);
                var words = Encoding.ASCII.GetString(buffer, 0, count).Split(' ');
                var number = int.Parse(words[1], CultureInfo.InvariantCulture);
                lock (_gate)
                {
                    _probes[number] = _probes[number] with { Node = words[0], AnsweredAt = Stopwatch.GetTimestamp() };
                }
            }
            catch (Exception error) when (error is SocketException or OperationCanceledException)
            {
                // Port unreachable, or asked to stop: the loop's condition knows.
            }
        }
    }

    private sealed record Probe(long SentAt, string? Node, long AnsweredAt);
}
