"""What people are told when something is refused: what happened, what stays safe, what to do now."""

from records.model import Text
from signaling.messages import Error, ErrorCode

SENTENCES: dict[ErrorCode, Text] = {
    ErrorCode.MALFORMED: Text(
        "这条消息看不懂，没有改动任何内容。请刷新页面再试。",
        "This message was not understood; nothing was changed. Please reload the page.",
    ),
    ErrorCode.TOO_LARGE: Text(
        "这条消息太长，没有发送。请缩短后再试。",
        "This message is too long and was not sent. Please shorten it.",
    ),
    ErrorCode.TOO_FAST: Text(
        "操作太快了，刚才这一步没有执行。请稍等一下再试。",
        "That was too fast; the last step was not done. Please wait a moment and try again.",
    ),
    ErrorCode.OUT_OF_ORDER: Text(
        "现在还不能进行这一步，没有改动任何内容。",
        "This step is not possible right now; nothing was changed.",
    ),
    ErrorCode.UNKNOWN_CALL: Text(
        "找不到这次通话，可能已经结束。", "This call was not found; it may have ended."
    ),
    ErrorCode.UNKNOWN_ITEM: Text(
        "找不到这个事项，请返回重新选择。", "This service was not found. Please go back and choose again."
    ),
    ErrorCode.NOT_OFFERED: Text(
        "这个来电已经转走或取消，您不用再处理。",
        "This call has gone to somebody else or was cancelled. Nothing is left to do.",
    ),
    ErrorCode.NOT_EMPOWERED: Text(
        "这个站点暂时不能办理这个事项，请选择其他事项或到大厅办理。",
        "This service is not offered at this station. Please choose another, or visit the hall.",
    ),
    ErrorCode.BUSY: Text("这里已经有一个通话在进行。", "A call is already in progress here."),
    ErrorCode.BAD_ANSWER: Text(
        "画面没有接通，正在重试。通话和排队位置都会保留。",
        "The picture could not be connected; trying again. Your call and your place are kept.",
    ),
    ErrorCode.NO_MEDIA: Text(
        "视频线路暂时都忙，请过一两分钟再呼叫，或先看办事指南。",
        "All video lines are busy. Please call again in a minute or two, or read the guide meanwhile.",
    ),
    ErrorCode.CONSENT_MISSING: Text(
        "需要您同意录音录像后才能呼叫。", "Please agree to the recording before calling."
    ),
    ErrorCode.ALREADY_RATED: Text(
        "已经收到您的评价，谢谢。", "Your rating has been received already. Thank you."
    ),
    ErrorCode.CLOSED: Text(
        "现在不是办理时间。您可以预约回电，或先看办事指南。",
        "It is closed now. You can book a call-back, or read the guide meanwhile.",
    ),
    ErrorCode.NOBODY: Text(
        "现在没有工作人员在线。您可以预约回电，或先看办事指南。",
        "Nobody is on duty just now. You can book a call-back, or read the guide meanwhile.",
    ),
    ErrorCode.QUEUE_FULL: Text(
        "排队的人太多了。您可以预约回电，或过一会儿再来。",
        "Too many people are waiting. You can book a call-back, or come again in a while.",
    ),
    ErrorCode.SLOT_TAKEN: Text(
        "这个时间刚刚约满，请另选一个时间。", "This time has just been taken. Please choose another."
    ),
    ErrorCode.UNKNOWN_CODE: Text(
        "没有找到这个时间的预约，请核对预约码，或直接呼叫。",
        "No appointment with this code is due now. Please check the code, or simply call.",
    ),
    ErrorCode.NOT_OWNER: Text(
        "这一步要由本次通话的负责人来做，没有改动任何内容。",
        "Only the agent in charge of this call can do this; nothing was changed.",
    ),
    ErrorCode.ROOM_FULL: Text(
        "通话里已经有四个人，请先请一位离开。",
        "Four people are in the call already. Please let somebody go first.",
    ),
    ErrorCode.ALREADY_ASKED: Text(
        "正在请另一位加入，请等一等，或先取消邀请。",
        "Somebody is being asked to join already. Please wait, or take that back first.",
    ),
    ErrorCode.UNKNOWN_TARGET: Text(
        "那里现在没有人可以接，请换一位同事或队列。",
        "Nobody is on duty there now. Please choose another colleague or queue.",
    ),
    ErrorCode.NO_MORE_TIME: Text(
        "延长整理的次数已经用完，请填写结果。",
        "There are no more extensions of this wrap-up. Please choose an outcome.",
    ),
    ErrorCode.INTERNAL: Text(
        "系统出了一点问题，刚才这一步没有完成。您的通话会保留，请再试一次。",
        "Something went wrong and the last step was not done. Your call is kept; please try again.",
    ),
}


class Refusal(Exception):
    """A request that is refused by name; it changed nothing."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.value)
        self.code = code


def error(code: ErrorCode, ref: int | None = None) -> Error:
    return Error(code=code, text=SENTENCES[code], ref=ref)
