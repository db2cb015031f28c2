namespace FailoverHub.Bgp.Tests.Wire;

// Messages that other people's daemons put on a wire, from the files in Captures: "time TYPE len=N hex [side]" a line.
internal static class CapturedMessages
{
    public static IReadOnlyList<CapturedMessage> All { get; } = ReadAll();

    public static IEnumerable<CapturedMessage> From(string file) => All.Where(message => message.File == file);

    private static List<CapturedMessage> ReadAll()
    {
        var assembly = typeof(CapturedMessages).Assembly;
        var messages = new List<CapturedMessage>();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".hex", StringComparison.Ordinal)).Order())
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            while (reader.ReadLine() is { } line)
            {
                var words = line.Split(' ');
                if (words.Length >= 4 && words[2].StartsWith("len=", StringComparison.Ordinal))
                {
                    messages.Add(new CapturedMessage(name[..^".hex".Length], words[1], Convert.FromHexString(words[3])));
                }
            }
        }

        return messages;
    }
}

internal sealed record CapturedMessage(string File, string Type, byte[] Bytes);
