namespace FailoverHub.Agent.Platform;

/// <summary>
/// An empty file that stands in the state directory while the node is drained, whoever drained it. It says the one thing that must not be lost
/// with the content of a file: announcing what was drained is the worst that a restart can do. It is made before the drain is kept, and taken
/// away after its end, so that it may stand there too long and never too short.
/// </summary>
/// <param name="path">Of the file.</param>
internal sealed class DrainMark(string path)
{
    private bool? _isSet;

    /// <summary>The node was drained, or it cannot be looked whether it was.</summary>
    public bool IsSet => (_isSet ??= Stands(path)) ?? true;

    /// <summary>Something has this name; null: the disk or its rights do not let us look, which <see cref="File.Exists(string)"/> calls nothing.</summary>
    internal static bool? Stands(string path)
    {
        try
        {
            // Of nothing it says -1, and does not throw: most nodes have none.
            return (int)new FileInfo(path).Attributes != -1;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null: it stands there; through a power cut as soon as the directory is flushed, which is what writing an order ends with. Else why not.</summary>
    public string? TrySet()
    {
        _isSet ??= Stands(path);
        if (_isSet == true)
        {
            return null;
        }

        try
        {
            new FileStream(path, FileMode.CreateNew, FileAccess.Write).Dispose();
            _isSet = true;
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"it could not be kept on the node's disk: {exception.Message}";
        }
    }

    /// <summary>Null: it stands there no longer. Else why it still does.</summary>
    public string? TryClear()
    {
        if (!IsSet)
        {
            return null;
        }

        try
        {
            File.Delete(path);
            _isSet = false;
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.Message;
        }
    }
}
