using FailoverHub.Examples;

// dotnet run -- http://127.0.0.1:5080 TOKEN
if (args is not [var hub, var token])
{
    Console.Error.WriteLine("Usage: FleetClient URL TOKEN");
    return 2;
}

using var stopping = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stopping.Cancel();
};

await using var fleet = new FleetMirror(new Uri(hub), token);
await fleet.FollowAsync(
    changed: () => Console.WriteLine(string.Join("  ", fleet.Pairs.Values.Select(p => $"{p.GetProperty("name")}: {p.GetProperty("state")} on {p.GetProperty("activeNode")}"))),
    happened: e => Console.WriteLine($"{e.GetProperty("at")}  {e.GetProperty("text")}"),
    lost: why => Console.WriteLine($"The hub is out of reach ({why?.Message ?? "it ended the stream"}): what stands above is old."),
    stopping.Token);
return 0;
