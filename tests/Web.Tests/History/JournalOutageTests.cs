using CsCheck;
using FailoverHub.Protos.V1;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Data;
using FailoverHub.Web.Tests.Agents;
using FailoverHub.Web.Tests.Data;
using Grpc.Core;
using Microsoft.EntityFrameworkCore;

namespace FailoverHub.Web.Tests.History;

/// <summary>
/// Journals of an agent and a hub that come and go at random, over the real stream, the real writer and the real database: in the end each entry is in the history
/// once and in its order, and what somebody did on the node is in the audit once.
/// </summary>
[Trait("Kind", "Hub")]
public sealed class JournalOutageTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private enum Happening
    {
        Appends,
        Sends,
        SendsTwice,
        SendsOldAgain,
        WaitsForAcknowledgement,
        ConnectionBreaks,
        AgentRestarts,
        HubRestarts,
        DiskFills,
        DiskHasRoom,
    }

    [Fact]
    public async Task Journals_ThroughAnyOutagesOfEitherSide_AreMergedWithoutLossOrRepeats()
    {
        Gen<Happening> happening = Gen.Frequency(
            (5, Gen.Const(Happening.Appends)),
            (6, Gen.Const(Happening.Sends)),
            (3, Gen.Const(Happening.SendsTwice)),
            (2, Gen.Const(Happening.SendsOldAgain)),
            (3, Gen.Const(Happening.WaitsForAcknowledgement)),
            (4, Gen.Const(Happening.ConnectionBreaks)),
            (2, Gen.Const(Happening.AgentRestarts)),
            (1, Gen.Const(Happening.HubRestarts)),
            (1, Gen.Const(Happening.DiskFills)),
            (2, Gen.Const(Happening.DiskHasRoom)));
        await Gen.Select(happening, Gen.Int[1, 7]).Array[10, 60].SampleAsync(RunAsync, iter: 8, threads: 1);
    }

    private static async Task RunAsync((Happening What, int Count)[] script)
    {
        await using var world = new World();
        await world.StartHubAsync();
        foreach (var (what, count) in script)
        {
            await world.LetAsync(what, count);
        }

        await world.LetAsync(Happening.DiskHasRoom, 0);
        await world.SendEverythingAsync();
        await world.CheckAsync();
    }

    /// <summary>A node with its disk, and the hub with its own.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly TemporaryFolder _folder = new();
        private readonly FullDisk _hubDisk = new();
        private readonly List<(string Boot, List<JournalEntry> Entries)> _journal = [];
        private readonly Dictionary<string, ulong> _acknowledged = [];
        private HubUnderTest _hub = null!;
        private FakeAgent? _agent;

        public World() => Boot();

        public async Task StartHubAsync() => _hub = await HubUnderTest.StartAsync(_folder.Path, configure: _hubDisk.Install);

        public async Task LetAsync(Happening what, int count)
        {
            switch (what)
            {
                case Happening.Appends:
                    Append(count);
                    break;
                case Happening.Sends:
                    await SendAsync(count, 1);
                    break;
                case Happening.SendsTwice:
                    await SendAsync(count, 2);
                    break;
                case Happening.SendsOldAgain:
                    await SendOldAsync(count);
                    break;
                case Happening.WaitsForAcknowledgement:
                    if (!_hubDisk.IsFull && _agent is not null && Next(int.MaxValue) is { } batch && await TrySendAsync(batch))
                    {
                        await AcknowledgedAsync(batch);
                    }

                    break;
                case Happening.ConnectionBreaks:
                    await DisconnectAsync();
                    break;
                case Happening.AgentRestarts:
                    await DisconnectAsync();
                    Boot();
                    break;
                case Happening.HubRestarts:
                    await DisconnectAsync();
                    await _hub.DisposeAsync();

                    // A hub with a full disk does not start: its disk has room again first.
                    _hubDisk.IsFull = false;
                    await StartHubAsync();
                    break;
                default:
                    _hubDisk.IsFull = what == Happening.DiskFills;
                    break;
            }
        }

        /// <summary>As the agent does when nothing is in its way any more: the oldest first, until everything is acknowledged.</summary>
        public async Task SendEverythingAsync()
        {
            while (Next(5) is { } batch)
            {
                if (await TrySendAsync(batch))
                {
                    await AcknowledgedAsync(batch);
                }
            }
        }

        public async Task CheckAsync()
        {
            await using HubDbContext db = _hub.OpenDatabase();
            List<EventEntity> stored = await db.Events.Where(e => e.BootId != null).OrderBy(e => e.Id).ToListAsync(Stop);
            foreach (var (boot, entries) in _journal)
            {
                Assert.Equal(entries.Select(e => ((long)e.Sequence, e.Text)), stored.Where(e => e.BootId == boot).Select(e => (e.JournalSequence!.Value, e.Text)));
            }

            Assert.Equal(_journal.Sum(j => j.Entries.Count), stored.Count);
            var audited = (await db.Audit.Where(a => a.Action == LocalCommand.Action).Select(a => a.Outcome).ToListAsync(Stop)).Order();
            Assert.Equal(_journal.SelectMany(j => j.Entries).Where(e => e.Kind == LocalCommand.Kind).Select(e => $"accepted: {e.Text}").Order(), audited);
            Assert.True((await _hub.History.VerifyAuditAsync(Stop)).Intact);
        }

        public async ValueTask DisposeAsync()
        {
            await DisconnectAsync();
            if (_hub is not null)
            {
                _hubDisk.IsFull = false;
                await _hub.DisposeAsync();
            }

            _folder.Dispose();
        }

        private void Boot()
        {
            _journal.Add(($"boot-{_journal.Count + 1}-{Guid.NewGuid():N}", []));
            Append(1);
        }

        private void Append(int count)
        {
            var (boot, entries) = _journal[^1];
            for (int i = 0; i < count; i++)
            {
                ulong sequence = (ulong)entries.Count + 1;
                bool command = sequence % 4 == 0;
                entries.Add(new JournalEntry
                {
                    Sequence = sequence,
                    AtUnixMs = 1_777_896_000_000 + (long)sequence,
                    Kind = command ? LocalCommand.Kind : "session-lost",
                    Text = $"entry {sequence} of {boot}",
                    Actor = command ? "root (uid 0)" : "",
                });
            }
        }

        private JournalBatch? Next(int most)
        {
            foreach (var (boot, entries) in _journal)
            {
                ulong from = _acknowledged.GetValueOrDefault(boot);
                if ((ulong)entries.Count > from)
                {
                    return Batch(boot, entries.Skip((int)from).Take(most));
                }
            }

            return null;
        }

        private static JournalBatch Batch(string boot, IEnumerable<JournalEntry> entries)
        {
            var batch = new JournalBatch { BootId = boot };
            batch.Entries.AddRange(entries);
            return batch;
        }

        private async Task SendAsync(int most, int times)
        {
            for (int i = 0; i < times && Next(most) is { } batch; i++)
            {
                await TrySendAsync(batch);
            }
        }

        // What was acknowledged long ago and comes again, as when the note of it was lost.
        private async Task SendOldAsync(int most)
        {
            if (_journal.FirstOrDefault(j => _acknowledged.GetValueOrDefault(j.Boot) > 0) is { Boot: { } boot } old)
            {
                await TrySendAsync(Batch(boot, old.Entries.Take(Math.Min(most, (int)_acknowledged[boot]))));
            }
        }

        private async Task<bool> TrySendAsync(JournalBatch batch)
        {
            try
            {
                await ConnectAsync();
                await _agent!.SendAsync(new AgentMessage { Journal = batch });
                return true;
            }
            catch (Exception e) when (e is RpcException or InvalidOperationException)
            {
                await DisconnectAsync();
                return false;
            }
        }

        // The hub may not have noticed yet that the stream before has ended: then it is asked again.
        private async Task ConnectAsync()
        {
            using var safety = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            while (_agent is null)
            {
                safety.Token.ThrowIfCancellationRequested();
                _agent = await FakeAgent.ConnectAsync(_hub.AgentUrl, "web-1", FakeAgent.State(Role.Primary), _journal[^1].Boot);
                if (await HeardAsync(m => m.Welcome is not null))
                {
                    return;
                }

                await DisconnectAsync();
            }
        }

        private async Task AcknowledgedAsync(JournalBatch batch)
        {
            ulong last = batch.Entries[^1].Sequence;
            if (!await HeardAsync(_ => _acknowledged.GetValueOrDefault(batch.BootId) >= last))
            {
                await DisconnectAsync();
            }
        }

        /// <summary>Reads on until that was heard. False: the stream has ended.</summary>
        private async Task<bool> HeardAsync(Func<HubMessage, bool> heard)
        {
            Task<RpcException?> ended = _agent!.Ended;
            while (true)
            {
                Task<HubMessage> next = _agent.ReceiveAsync();
                if (await Task.WhenAny(next, ended) == ended && !next.IsCompleted)
                {
                    return false;
                }

                HubMessage message = await next;
                if (message.JournalAck is { } ack)
                {
                    _acknowledged[ack.BootId] = Math.Max(_acknowledged.GetValueOrDefault(ack.BootId), ack.Sequence);
                }

                if (heard(message))
                {
                    return true;
                }
            }
        }

        private async Task DisconnectAsync()
        {
            if (_agent is { } agent)
            {
                _agent = null;
                await agent.DisposeAsync();
            }
        }
    }
}
