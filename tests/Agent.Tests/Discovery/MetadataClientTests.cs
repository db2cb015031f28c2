using System.Net;
using FailoverHub.Agent.Discovery;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Agent.Tests.Discovery;

public sealed class MetadataClientTests
{
    // The clock stands: on a busy machine no patience ends before its time.
    private static FakeTimeProvider Standing => new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Service_AskedForATokenFirst_TellsEverything(bool chunked)
    {
        await using var server = await MetadataServer.StartAsync();
        server.Chunked = chunked;

        var (answer, problem) = await new MetadataClient(server.Endpoints, Standing).AskAsync(Cancellation);

        Assert.Null(problem);
        Assert.Equal("us-ord", answer!.Facts.Region);
        Assert.Equal(IPNetwork.Parse("203.0.113.10/32"), answer.Facts.Shared[0]);
        Assert.Equal(["PUT /v1/token", "GET /v1/instance", "GET /v1/network"], server.Asked.Seen);
    }

    [Fact]
    public async Task OneAddressThatAnswers_IsEnough_WhateverTheOthersDo()
    {
        await using var server = await MetadataServer.StartAsync();
        await using var silent = new RawServer(_ => [], closes: false);
        await using var mad = new RawServer(_ => "what?"u8.ToArray());

        var (answer, _) = await new MetadataClient([silent.Address, mad.Address, new Uri("http://127.0.0.1:1"), server.Address], Standing).AskAsync(Cancellation);

        Assert.Equal("us-ord", answer!.Facts.Region);
    }

    [Fact]
    public async Task Silence_EndsWithThePatience()
    {
        var time = new FakeTimeProvider();
        await using var silent = new RawServer(_ => [], closes: false);
        var asking = new MetadataClient([silent.Address], time).AskAsync(Cancellation);
        await silent.Asked.FirstAsync<string>();

        time.Advance(MetadataClient.Patience);

        var (answer, problem) = await asking;
        Assert.Null(answer);
        Assert.Contains("no answer within 2 s", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NobodyThere_IsSaid_ForEachAddress()
    {
        var (answer, problem) = await new MetadataClient([new Uri("http://127.0.0.1:1"), new Uri("http://[::1]:1")], Standing).AskAsync(Cancellation);

        Assert.Null(answer);
        Assert.Contains("127.0.0.1:1", problem, StringComparison.Ordinal);
        Assert.Contains("[::1]:1", problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AskedToEnd_Ends()
    {
        await using var silent = new RawServer(_ => [], closes: false);
        using var end = new CancellationTokenSource();
        var asking = new MetadataClient([silent.Address], Standing).AskAsync(end.Token);
        await silent.Asked.FirstAsync<string>();

        await end.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    public static TheoryData<string, string, string> Hostile => new()
    {
        { "GET /v1/instance", "HTTP/1.1 200 OK\r\n\r\n" + new string(' ', 70_000), "longer than 64 KiB" },
        { "GET /v1/instance", "HTTP/1.1 200 OK\r\nX: " + new string('x', 70_000) + "\r\n\r\n{}", "longer than 64 KiB" },
        { "GET /v1/instance", "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + new string(' ', 70_000), "longer than 64 KiB" },
        { "GET /v1/instance", "HTTP/1.1 200 OK\r\nContent-Length: 2147483647\r\n\r\n{}", "ends early" },
        { "GET /v1/network", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "answered with 500" },
        { "GET /v1/network", "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", "answered with 302" },
        { "PUT /v1/token", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answered with 404" },
        { "PUT /v1/token", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\na\r\nb: c", "no token" },
        { "PUT /v1/token", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "no token" },
        { "GET /v1/network", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n[[[[", "not those of a metadata service" },
        { "GET /v1/network", "", "without an answer" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task HostileAnswer_IsRefused_InWords(string question, string answer, string said)
    {
        await using var hostile = new RawServer(line => line.StartsWith(question, StringComparison.Ordinal) ? Documents.Bytes(answer) : RawServer.Ok(line[0] == 'P' ? "token" : "{}"));

        var (none, problem) = await new MetadataClient([hostile.Address], Standing).AskAsync(Cancellation);

        Assert.Null(none);
        Assert.Contains(said, problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task DocumentsNestedWithoutEnd_AreRefused()
    {
        var nested = string.Concat(Enumerable.Repeat("{\"ipv4\":", 5_000));
        await using var hostile = new RawServer(line => RawServer.Ok(line[0] == 'P' ? "token" : nested));

        var (none, problem) = await new MetadataClient([hostile.Address], Standing).AskAsync(Cancellation);

        Assert.Null(none);
        Assert.Contains("not those of a metadata service", problem, StringComparison.Ordinal);
    }
}
