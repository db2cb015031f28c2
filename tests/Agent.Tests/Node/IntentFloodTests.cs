using System.Collections.Immutable;
using FailoverHub.Agent.Configuration;
using FailoverHub.Agent.Node;
using FailoverHub.Agent.Node.Intents;
using FailoverHub.Agent.Node.Orders;
using FailoverHub.Agent.Platform;
using FailoverHub.Agent.Platform.Journaling;
using FailoverHub.Agent.Speaker;
using FailoverHub.Bgp.Routes;
using Microsoft.Extensions.Logging.Abstractions;
using static FailoverHub.Agent.Tests.Node.NodeUnderTest;

namespace FailoverHub.Agent.Tests.Node;

/// <summary>A hub that sends intents without end keeps nothing from what happens on the node and what is ordered there.</summary>
public sealed class IntentFloodTests : IDisposable
{
    private readonly IntentInbox _inbox = new();
    private readonly TemporaryDirectory _directory = new();
    private int _rings;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Empty_TakesAnIntentAtOnce_AndRings()
    {
        Assert.True(Offer(Received(1)).IsCompletedSuccessfully);
        Assert.Equal(1, _rings);
        Assert.Equal((Received(1), null), _inbox.Take());
        Assert.Equal((null, null), _inbox.Take());
    }

    [Fact]
    public async Task Occupied_TheNewerOneStays_TheOtherIsToldOf_AndWhoeverBroughtItWaits()
    {
        await Offer(Received(1));
        var second = Offer(Received(2));

        Assert.False(second.IsCompleted);
        Assert.Equal(1, _rings);
        Assert.Equal((Received(2), new NodeEvent.IntentSuperseded(1, "", 2)), _inbox.Take());
        await second;
    }

    [Fact]
    public async Task OlderOneComesLater_TheNewerOneStays()
    {
        await Offer(Received(2));
        var late = Offer(Received(1));

        Assert.Equal((Received(2), new NodeEvent.IntentSuperseded(1, "", 2)), _inbox.Take());
        await late;
    }

    [Fact]
    public async Task WhatMakesNoSense_TakesNoPlaceOfWhatDoes()
    {
        var nonsense = new NodeEvent.IntentMalformed(9, "", "no prefix");
        await Offer(Received(2));
        var later = Offer(nonsense);
        Assert.Equal(Received(2), _inbox.Take().Brought);
        await later;

        await Offer(nonsense);
        var sense = Offer(Received(3));
        Assert.Equal(Received(3), _inbox.Take().Brought);
        await sense;
    }

    [Fact]
    public async Task HubGoes_NobodyWaitsForTheInboxAnyMore()
    {
        using var gone = new CancellationTokenSource();
        await Offer(Received(1));
        var waiting = _inbox.OfferAsync(Received(2), () => _rings++, gone.Token);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(Received(2), _inbox.Take().Brought);
    }

    [Fact]
    public void Superseded_IsAnsweredAsRejected_UnlessTheOtherIsTheSame()
    {
        var node = new NodeUnderTest().Start(Shared).Give(new NodeEvent.IntentSuperseded(1, "", 2));
        Assert.Equal(new IntentAnswer(1, new IntentOutcome.Rejected("intent 2 came before this one was looked at")), node.Answer);
        Assert.Equal([TransitionKind.IntentRejected], node.Recorded);

        Assert.Null(node.Give(new NodeEvent.IntentSuperseded(2, "", 2)).Answer);
    }

    [Fact]
    public async Task HubSendsWithoutEnd_EveryCommandOnTheNodeIsAnswered_AndTheLastIntentIsObeyed()
    {
        using var journal = Journal.Open(_directory.Root, JournalLimits.Default, TimeProvider.System, NullLogger<Journal>.Instance);
        var settings = new NodeSettings { Node = "node-a", DefaultRole = Role.Primary, Neighbors = [First] };
        var loop = new NodeLoop(
            NodeState.Initial(settings, null, new Moment(TimeSpan.Zero, DateTimeOffset.UnixEpoch)), new NoSpeaker(), new NodeStorage(NodeFiles.In(_directory.Root, _ => { }), journal), TimeProvider.System, NullLogger<NodeLoop>.Instance);
        loop.ApplyBeforeRunning(new NodeEvent.Started([Shared], "started"));
        var commands = new Signal<LocalAnswer>();
        var intents = new Signal<IntentAnswer>();
        loop.CommandAnswered += commands.Add;
        loop.Answered += intents.Add;
        var running = Task.Run(loop.RunAsync, TestContext.Current.CancellationToken);
        using var enough = new CancellationTokenSource();
        var flood = Task.Run(async () =>
        {
            var revision = 0ul;
            while (!enough.IsCancellationRequested)
            {
                await loop.OfferIntentAsync(Received(++revision), TestContext.Current.CancellationToken);
            }

            return revision;
        }, TestContext.Current.CancellationToken);

        for (var id = 1; id <= 40; id++)
        {
            Assert.True(loop.TryPost(new NodeEvent.CommandReceived(new LocalCommand.SetRole(id, "root (uid 0)", "", Shared, id % 2 == 0 ? Role.Primary : Role.Secondary))));
            await commands.FirstAsync<LocalAnswer>(answer => answer.Id == id);
        }

        await enough.CancelAsync();
        var last = await flood;
        await intents.FirstAsync<IntentAnswer>(answer => answer.Revision == last);
        loop.Complete();
        await running;
        Assert.Equal(last, loop.Current.Intent!.Revision);
        Assert.True(intents.Seen.Select(answer => answer.Revision).Distinct().Count() == (int)last, "each intent is answered");
    }

    private static NodeEvent.IntentReceived Received(ulong revision) => new(new NodeIntent { Revision = revision, Drained = false, Prefixes = [] });

    private Task Offer(NodeEvent brought) => _inbox.OfferAsync(brought, () => _rings++, TestContext.Current.CancellationToken);

    private sealed class NoSpeaker : ISpeaker
    {
        public void SetAdvertisements(long version, ImmutableArray<Advertisement> advertisements)
        {
            // Nobody listens.
        }

        public void Configure(ImmutableArray<PeerOptions> peers)
        {
            // Likewise.
        }

        public void Reset(NeighborEndpoint neighbor, string text)
        {
            // Nobody asks for it here.
        }

        public void Stop(string text)
        {
            // Likewise.
        }
    }
}
